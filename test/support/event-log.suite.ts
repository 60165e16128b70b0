import { appendSuite } from "./event-log.append.suite";
import { commandSuite } from "./event-log.commands.suite";
import { faultSuite } from "./event-log.faults.suite";
import { useLogs } from "./event-log.fixture";
import { readingSuite } from "./event-log.reading.suite";
import { sealingSuite } from "./event-log.sealing.suite";

jest.setTimeout(60_000);

/** What the event log promises, on every PostgreSQL that Forno runs on. */
export function eventLogSuite(server: "embedded" | "system"): void {
  const logs = useLogs(server);
  appendSuite(logs);
  commandSuite(logs);
  faultSuite(logs);
  readingSuite(logs);
  sealingSuite(logs);
}
