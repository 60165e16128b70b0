import * as store from "../../../services/menu/menu.store";
import { replaceExport } from "../replace";

const THIRDS = 3;
const own = Number(process.env["NODE_ID"]?.slice("node-".length));

replaceExport(store, "readDocumentNewer", (original) => async (db, than) => {
  const document = await original(db, than);
  const ignored = than > 0 && document !== undefined && document.version % THIRDS === own % THIRDS;
  return ignored ? undefined : document;
});
