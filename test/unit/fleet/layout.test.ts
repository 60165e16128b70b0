import { servicesOf } from "../../../fleet/layout";
import { SERVICE_NAMES } from "../../../settings";

describe("the layout of a fleet", () => {
  it("all: every node runs everything", () => {
    expect(servicesOf("all", 3)).toEqual(["", "", ""]);
  });

  it.each([
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])("split: of %i nodes %i are gateways", (nodes, gateways) => {
    const services = servicesOf("split", nodes);
    expect(services).toHaveLength(nodes);
    expect(services.filter((names) => names === "http,sockets,grpc")).toHaveLength(gateways);
  });

  it("split: together they run everything, nothing in both", () => {
    const [gateway = "", worker = ""] = servicesOf("split", 2);
    expect(`${gateway},${worker}`.split(",").sort()).toEqual([...SERVICE_NAMES].sort());
  });

  it("split: one node is not enough", () => {
    expect(() => servicesOf("split", 1)).toThrow(RangeError);
  });
});
