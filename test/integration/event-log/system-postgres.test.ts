import { eventLogSuite } from "../../support/event-log.suite";
import { hasSystemPostgres, SYSTEM_POSTGRES } from "../../support/postgres";

// A machine without it tests one server less, and says so.
if (!hasSystemPostgres())
  console.warn(`SKIPPED: the event log on the system's PostgreSQL: there is none in ${SYSTEM_POSTGRES}.`);

(hasSystemPostgres() ? describe : describe.skip)("The event log on the system's PostgreSQL", () => {
  eventLogSuite("system");
});
