import { Type } from "@sinclair/typebox";
import type { ServiceSchema } from "moleculer";
import { cachedAction } from "../mixins/cache-tags/cached-action";
import { contract } from "../mixins/contract/contract";
import { act } from "../mixins/contract/implement";
import { strictObject } from "../mixins/contract/schemas";
import type { Runtime } from "../mixins/runtime";
import { until, withChain, type Print } from "./node";

const getWeather = contract({
  name: "weather.get",
  summary: "What the sky does over a city",
  kind: "query",
  permission: "public",
  params: strictObject({ city: Type.String() }),
  result: strictObject({ city: Type.String(), sky: Type.String() }),
});

interface WeatherChanged {
  readonly city: string;
}

/** What is slow to find out; computed once, then kept for an hour, or until the log tells of a change. */
function weatherService(runtime: Runtime, askTheSky: (city: string) => Promise<string>): ServiceSchema {
  return {
    name: "weather",
    actions: {
      get: cachedAction(
        runtime,
        getWeather,
        {
          key: ({ city }) => city,
          ttl_s: 3_600,
          tags: ({ city }) => [`weather:${city}`],
          invalidate_on: { "weather.changed": ({ data }) => [`weather:${(data as WeatherChanged).city}`] },
        },
        async ({ params: { city } }) => ({ city, sky: await askTheSky(city) }),
      ),
    },
  };
}

/** A cached action: one computation for many, on all nodes, until an event ends what was kept. */
export function cachedActionExample(print: Print): Promise<void> {
  return withChain(async (chain) => {
    let sky = "clear";
    let asked = 0;
    const askTheSky = async (): Promise<string> => {
      asked += 1;
      return Promise.resolve(sky);
    };
    const nodes = [
      await chain.node((runtime) => [weatherService(runtime, askTheSky)]),
      await chain.node((runtime) => [weatherService(runtime, askTheSky)]),
    ] as const;
    const look = async (node: Runtime, city = "Krasnoyarsk"): Promise<string> =>
      (await act(node.broker, getWeather, { city })).sky;
    // Nothing is kept before the events that end it are followed.
    await until("the cache serves", async () => {
      const before = asked;
      await look(nodes[0], "Norilsk");
      await look(nodes[1], "Norilsk");
      return asked === before;
    });
    asked = 0;
    const looks = await Promise.all(Array.from({ length: 100 }, (_, n) => look(nodes[n % 2] ?? nodes[0])));
    print(`${String(looks.length)} looks on two nodes: ${looks[0] ?? ""}, computed ${String(asked)} time`);

    sky = "snow";
    asked = 0;
    await nodes[0].log.append({
      streams: [
        {
          ...{ stream_id: "weather-krasnoyarsk", stream_type: "weather", expected_version: 0 },
          events: [{ type: "weather.changed", data: { city: "Krasnoyarsk" } satisfies WeatherChanged }],
        },
      ],
      ...{ commands: [], meta: {} },
    });
    await until(
      "both nodes see it",
      async () => (await look(nodes[0])) === sky && (await look(nodes[1])) === sky,
    );
    print(`after weather.changed: ${sky} on both, computed ${String(asked)} time`);
  });
}
