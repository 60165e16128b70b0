import * as branches from "../../../services/branch/branch.events";
import { replaceExport } from "../replace";

replaceExport(branches, "deliveryFeeOf", () => () => 0);
