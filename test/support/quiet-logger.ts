import type { Logger } from "../../mixins/logger";

/** Keeps log lines instead of printing them. */
export class QuietLogger implements Logger {
  readonly lines: string[] = [];
  debug = (line: string): void => void this.lines.push(`debug ${line}`);
  info = (line: string): void => void this.lines.push(`info ${line}`);
  warn = (line: string): void => void this.lines.push(`warn ${line}`);
  error = (line: string): void => void this.lines.push(`error ${line}`);

  /** Lines that contain a text. */
  having(text: string): readonly string[] {
    return this.lines.filter((line) => line.includes(text));
  }
}
