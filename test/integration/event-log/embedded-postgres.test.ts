import { eventLogSuite } from "../../support/event-log.suite";

describe("The event log on the embedded PostgreSQL", () => {
  eventLogSuite("embedded");
});
