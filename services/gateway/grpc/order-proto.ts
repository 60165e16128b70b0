import path from "node:path";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";

export const ORDER_SERVICE = "forno.order.v1.OrderService";

/** `proto/` stands beside `services/`, in the sources as in `dist`. */
const PROTO_DIR = path.resolve(__dirname, "../../../proto");

/** The package as loaded from its .proto file: field names as written, enums by name, int64 as number. */
export function loadOrderPackage(): PackageDefinition {
  return loadSync("forno/order/v1/order.proto", {
    includeDirs: [PROTO_DIR],
    keepCase: true,
    // Positions and money are safe integers everywhere in Forno.
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: false,
  });
}

/** The service of a loaded package. */
export function orderServiceOf(loaded: PackageDefinition): ServiceDefinition {
  return loaded[ORDER_SERVICE] as ServiceDefinition;
}
