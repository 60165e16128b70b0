import { chmodSync, mkdirSync } from "node:fs";

/**
 * Makes a folder that its owner alone may enter, or makes one so that is there. One of another owner is left as it is (a volume
 * of a container, which its operator has shared out): what we put there is readable by us alone in any case.
 */
export function privateFolder(folder: string, mode = 0o700): void {
  mkdirSync(folder, { recursive: true, mode });
  try {
    chmodSync(folder, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}
