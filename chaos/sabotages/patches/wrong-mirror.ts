import * as documents from "../../../services/mirror/mirror.documents";
import { replaceExport } from "../replace";

replaceExport(documents, "orderWrite", (original) => (facts, position) => {
  return original({ ...facts, total_minor: 1 }, position);
});
