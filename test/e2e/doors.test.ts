import { once } from "node:events";
import { loadSync } from "@grpc/proto-loader";
import { doorsOf } from "../../services/gateway/http/door";
import { Chain, type Placed } from "../support/chain";
import { CONTRACTS } from "../support/contracts";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { GrpcClient, serviceOf, type Stream } from "../support/grpc-client";
import { openApiComplaints } from "../support/openapi-complaints";

describe("the doors beside the orders", () => {
  let forno: FornoUnderTest;
  let order: Placed;

  beforeAll(async () => {
    forno = await FornoUnderTest.started({}, "--repl");
    const chain = await Chain.of(forno);
    order = await chain.placed(chain.wish());
  });
  afterAll(() => forno.remove());

  describe("OpenAPI", () => {
    type Paths = Record<string, Record<string, unknown>>;
    const document = async () =>
      (await forno.ask<{ openapi: string; paths: Paths }>("GET", "/api/openapi.json")).body;

    it("is a valid document of version 3.1", async () => {
      const spec = await document();
      expect(spec.openapi).toBe("3.1.0");
      expect(openApiComplaints({ ...spec })).toEqual([]);
    });

    it("lists every operation that has a door, and nothing that has none", async () => {
      const { paths } = await document();
      const listed = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      const doors = doorsOf(CONTRACTS).map(
        ({ binding }) => `${binding.method} ${binding.path.replaceAll(/:(\w+)/g, "{$1}")}`,
      );
      expect(listed.sort()).toEqual(doors.sort());
    });

    it("has a page to try it whose every part comes from this server", async () => {
      const page = await forno.ask<{ text: string }>("GET", "/api/docs");
      expect(page.status).toBe(200);
      const parts = [...page.body.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? "");
      expect(parts.length).toBeGreaterThan(2);
      for (const url of parts) {
        expect(url).toMatch(/^\/[^/]/);
        expect((await forno.ask("GET", url)).status).toBe(200);
      }
    });
  });

  describe("gRPC", () => {
    it("answers the standard health check", async () => {
      const health = GrpcClient.health(forno.grpcPort);
      for (const service of ["", "forno.order.v1.OrderService"])
        await eventually(async () => {
          expect((await health.call("Check", { service })).answer["status"]).toBe("SERVING");
        });
      health.close();
    });

    it("tells its services by reflection", async () => {
      const proto = loadSync(
        require.resolve("@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto"),
        { keepCase: true },
      );
      const client = new GrpcClient(forno.grpcPort, serviceOf(proto, "grpc.reflection.v1.ServerReflection"));
      const dialogue = client.stream("ServerReflectionInfo", {}) as Stream & {
        write(request: object): void;
        end(): void;
      };
      dialogue.write({ list_services: "*" });
      const [answer] = (await once(dialogue, "data")) as [
        { list_services_response: { service: { name: string }[] } },
      ];
      expect(answer.list_services_response.service.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["forno.order.v1.OrderService", "grpc.health.v1.Health"]),
      );
      dialogue.end();
      client.close();
    });
  });

  describe("the operators' prompt", () => {
    /** Types a line and gives back what is printed until the next prompt. */
    async function typed(line: string): Promise<string> {
      const before = forno.output.length;
      forno.type(line);
      return eventually(() => {
        const printed = forno.output.slice(before);
        expect(printed).toContain("forno $");
        return printed;
      });
    }

    it("shows active orders", async () => {
      expect(await typed("orders")).toMatch(
        new RegExp(`${order.display_id}.*pending.*${String(order.total_minor)}.*${order.order_id}`),
      );
    });

    it("shows the newest events, and those of a stream", async () => {
      const tail = await typed("events tail");
      expect(tail).toMatch(new RegExp(`order\\.placed +order-${order.order_id}@1`));
      expect(tail.match(/T\d\d:\d\d:\d\d/g)?.length).toBeLessThanOrEqual(20);
      expect((await typed("events tail -n 3")).match(/T\d\d:\d\d:\d\d/g)).toHaveLength(3);
      expect(await typed(`events show order-${order.order_id}`)).toContain(
        `"display_id": "${order.display_id}"`,
      );
    });

    it("shows how far projections are, and rebuilds one", async () => {
      expect(await typed("projection status")).toMatch(/'orders'.*'projection'.*'working'/);
      expect(await typed("projection rebuild orders")).toMatch(
        /orders is rebuilt and swapped in after \d+\.\d s\./,
      );
      expect(await typed("orders")).toContain(order.order_id);
      expect(await typed("projection rebuild nothing")).toContain("No projection nothing on this node");
    });

    it("shows what is cached, and ends what carries a tag", async () => {
      await forno.ask("GET", "/api/v1/menu/flash-sales/active");
      expect(await typed("cache status")).toMatch(/'menu\.active_sales'.*menu\.sale_changed/);
      expect(await typed("cache tags")).toContain("menu-sales");
      expect(await typed("cache invalidate menu-sales")).toContain("The tag menu-sales");
    });

    it("shows the actors of this node and sends one to sleep", async () => {
      const [stream = ""] = /slots-[\w-]+/.exec(await typed("actor list")) ?? [];
      expect(stream).not.toBe("");
      expect(await typed(`actor evict ${stream}`)).toContain("is passivated");
      expect(await typed(`actor evict ${stream}`)).toContain("No actor");
    });

    it("goes on after what it does not know", async () => {
      expect(await typed("bake")).toContain("unknown command 'bake'");
      expect(await typed("events")).toContain("missing required argument");
      expect(await typed("orders -b nowhere")).toContain("branch_id");
      expect(await typed("slots")).toContain("capacity_minor");
    });

    it("says nothing of a command that could not be registered", () => {
      expect(forno.output).not.toContain("registering");
    });
  });
});

it("leaving the prompt stops Forno with its database", async () => {
  const forno = await FornoUnderTest.started({ SEED: "none" }, "--repl");
  forno.type("q");
  expect(await forno.ended()).toBe(0);
  expect(forno.databasePid).toBeUndefined();
  await forno.remove();
});
