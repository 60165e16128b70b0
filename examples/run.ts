import { cachedActionExample } from "./cached-action";
import { channelsExample } from "./channels";
import { entityEventsExample } from "./entity-events";
import { manualCacheExample } from "./manual-cache";
import type { Print } from "./node";
import { subscriptionsExample } from "./subscriptions";

/** Every example, by its name. */
export const EXAMPLES: Readonly<Record<string, (print: Print) => Promise<void>>> = {
  "cached-action": cachedActionExample,
  "manual-cache": manualCacheExample,
  channels: channelsExample,
  "entity-events": entityEventsExample,
  subscriptions: subscriptionsExample,
};

/** `npm run example -- NAME` */
async function main([name = ""]: readonly string[]): Promise<void> {
  const example = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : undefined;
  if (example !== undefined) return example(console.log);
  console.error(`Which one? ${Object.keys(EXAMPLES).join(", ")}`);
  process.exitCode = 2;
}

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
