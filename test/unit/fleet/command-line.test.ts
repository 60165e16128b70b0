import { fleetOptions, UsageError, USAGE } from "../../../fleet/command-line";

describe("npm run fleet", () => {
  it("starts three nodes with everything unless told otherwise", () => {
    expect(fleetOptions([], {})).toEqual({
      ...{ folder: "fleet-data", nodes: 3, layout: "all", redis: true, nats: true, kafka: "if-possible" },
      ...{ replica: false, anyPorts: false, fresh: false, env: {} },
    });
  });

  it("takes its options", () => {
    const args =
      "--nodes 4 --layout split --no-redis --no-nats --no-kafka --replica --any-ports --fresh --data x";
    expect(fleetOptions(args.split(" "), {})).toEqual({
      ...{ folder: "x", nodes: 4, layout: "split", redis: false, nats: false, kafka: false },
      ...{ replica: true, anyPorts: true, fresh: true, env: {} },
    });
  });

  it.each([
    ["--nodes 0", "--nodes is a number from 1 to 32."],
    ["--nodes many", "--nodes is a number from 1 to 32."],
    ["--layout round", "--layout is all or split."],
    ["--layout split --nodes 1", "--layout split needs --nodes 2 at least: a gateway and a worker."],
    ["--fast", "--help lists the options."],
    ["now", "--help lists the options."],
  ])("refuses %s and says why", (line, reason) => {
    expect(() => fleetOptions(line.split(" "), {})).toThrow(UsageError);
    expect(() => fleetOptions(line.split(" "), {})).toThrow(reason);
  });

  it("tells the nodes the settings of the environment, but not those that are the fleet's own", () => {
    const env = { LOG_LEVEL: "debug", PORT: "1", DATABASE_URL: "postgres://elsewhere/x", HOME: "/root" };
    expect(fleetOptions([], env)?.env).toEqual({ LOG_LEVEL: "debug" });
  });

  it("helps with every option", () => {
    expect(fleetOptions(["--help"], {})).toBeUndefined();
    for (const option of [
      "nodes",
      "any-ports",
      "layout",
      "replica",
      "no-redis",
      "no-nats",
      "no-kafka",
      "data",
      "fresh",
    ])
      expect(USAGE).toContain(`--${option} `);
  });
});
