import { boot, systemClock } from "../boot";
import { DataDirInUseError } from "../mixins/postgres/embedded-postgres";
import { StoryClock } from "./clock";
import { seedHistory, type HistoryProgress } from "./history";
import { SERVICE_NAMES, loadSettings, SettingsError, type Settings } from "../settings";

/** Exit codes: 2 for a wrong setting or command line, 1 for a run that failed. */
const WRONG_USAGE = 2;
const FAILED = 1;
const DAYS_MAX = 365;

const USAGE = `Gives a chain its first data, and, when asked, a past.

  npm run seed                      legal entity, branches, menu, customers and staff
  npm run seed -- --history 90d     and an order history of so many days, up to yesterday

It may be interrupted and repeated: what is there is not made again. Stop Forno first, or give DATABASE_URL.`;

class UsageError extends Error {}

/** Days of history that the command line asks for; 0 for none. */
export function historyDays(args: readonly string[]): number {
  if (args.length === 0) return 0;
  const [flag, text = "", ...rest] = args;
  const days = Number(/^(\d{1,3})d$/.exec(text)?.[1]);
  if (flag !== "--history" || rest.length > 0)
    throw new UsageError(`${args.join(" ")} is not an option.\n\n${USAGE}`);
  if (!(days >= 1 && days <= DAYS_MAX))
    throw new UsageError(`--history ${text} is not valid: expected 1d to ${String(DAYS_MAX)}d.`);
  return days;
}

/** All rooms in this process, their doors on free ports of this machine alone. */
function seedSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const settings = loadSettings({ LOG_LEVEL: "warn", ...env });
  // Alone: it lives at a time of its own, and would do other nodes' work at that time.
  // A rush of years in minutes is no customer's.
  const alone = { NATS_URL: undefined, SERVICES: SERVICE_NAMES, RATE_LIMIT: "off" } as const;
  return { ...settings, ...alone, HOST: "127.0.0.1", PORT: 0, GRPC_PORT: 0, SEED: "demo" };
}

function show({ done, total, orders, orders_per_s, seconds_left }: HistoryProgress): void {
  const line = `${String(done)}/${String(total)} days of branches, ${String(orders)} orders, ${orders_per_s.toFixed(0)}/s, ${String(seconds_left)} s left`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}   ${done === total ? "\n" : ""}`);
  else if (done % 10 === 0 || done === total) console.log(line);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    console.log(USAGE);
    return;
  }
  const days = historyDays(args);
  const clock = new StoryClock();
  const forno = await boot(seedSettings(process.env), systemClock, (now) => clock.over(now));
  try {
    const { admin, runtime } = forno;
    if (admin?.generated_password !== undefined)
      console.log(
        `First start: the super admin is ${admin.username}, the password ${admin.generated_password}. It is shown this once.`,
      );
    console.log("The first data is there.");
    if (days === 0) return;
    const before = new Date(clock.now()).toISOString().slice(0, 10);
    const { orders } = await seedHistory(runtime, clock, { days, before }, show);
    console.log(`The history is there: ${String(orders)} orders by this run.`);
  } finally {
    await forno.stop();
  }
}

function explained(error: unknown): never {
  const usage = error instanceof UsageError || error instanceof SettingsError;
  const known = usage || error instanceof DataDirInUseError;
  console.error(
    known || !(error instanceof Error) ? String(error instanceof Error ? error.message : error) : error.stack,
  );
  process.exit(usage ? WRONG_USAGE : FAILED);
}

if (require.main === module) main().catch(explained);
