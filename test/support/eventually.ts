import { setTimeout as pause } from "node:timers/promises";

/** Repeats an expectation until it holds; after `timeout_ms` its own failure is thrown. Waits on a condition, not on time. */
export async function eventually<T>(expectation: () => T | Promise<T>, timeout_ms = 10_000): Promise<T> {
  for (const deadline = Date.now() + timeout_ms; ;) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(10);
    }
  }
}
