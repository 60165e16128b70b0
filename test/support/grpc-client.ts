import { credentials, makeClientConstructor, Metadata, type Client, type ServiceError } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { protoPath as healthProto } from "grpc-health-check";
import { loadOrderPackage, ORDER_SERVICE } from "../../services/gateway/grpc/order-proto";

type Unary = (
  request: object,
  metadata: Metadata,
  options: { deadline?: number },
  callback: (error: ServiceError | null, answer: Record<string, unknown>) => void,
) => { on(event: "metadata", listener: (metadata: Metadata) => void): void; cancel(): void };
export type Stream = NodeJS.ReadableStream & {
  cancel(): void;
  on(event: string, listener: (arg: never) => void): Stream;
};
type Streaming = (request: object, metadata: Metadata) => Stream;

/** What a unary call came to. */
export interface Outcome {
  readonly answer: Record<string, unknown>;
  readonly headers: Metadata;
  readonly error: ServiceError | null;
}

/** A client of any service, without generated code. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number, service: ServiceDefinition) {
    const Constructor = makeClientConstructor(service, "test");
    this.#client = new Constructor(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  static orders(port: number): GrpcClient {
    return new GrpcClient(port, serviceOf(loadOrderPackage(), ORDER_SERVICE));
  }

  static health(port: number): GrpcClient {
    const loaded = loadSync(healthProto, { keepCase: true, enums: String, defaults: true });
    return new GrpcClient(port, serviceOf(loaded, "grpc.health.v1.Health"));
  }

  call(
    method: string,
    request: object,
    headers: Record<string, string> = {},
    deadline?: number,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      let received = new Metadata();
      const options = deadline === undefined ? {} : { deadline };
      const call = this.#method(method)(request, metadataOf(headers), options, (error, answer) =>
        resolve({ answer, error, headers: received }),
      );
      call.on("metadata", (metadata) => (received = metadata));
    });
  }

  stream(method: string, request: object, headers: Record<string, string> = {}): Stream {
    return this.#method(method)(request, metadataOf(headers));
  }

  close(): void {
    this.#client.close();
  }

  #method(name: string): Unary & Streaming {
    const client = this.#client as unknown as Record<
      string,
      { bind(to: Client): Unary & Streaming } | undefined
    >;
    const method = client[name];
    if (method === undefined) throw new Error(`no method ${name}`);
    return method.bind(this.#client);
  }
}

export function serviceOf(loaded: PackageDefinition, name: string): ServiceDefinition {
  return loaded[name] as ServiceDefinition;
}

function metadataOf(headers: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
