import * as connections from "../../../mixins/event-log/connection";
import { replaceExport } from "../replace";

const HASTY = "-c synchronous_commit=local";

// Taken up by connections that say nothing of their own.
process.env["PGOPTIONS"] = HASTY;
replaceExport(connections, "sessionConfig", (original) => (connection, application_name) => {
  const config = original(connection, application_name);
  return { ...config, options: `${config.options ?? ""} ${HASTY}` };
});
