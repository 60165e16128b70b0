import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { isSupportedCountry, type CountryCode } from "libphonenumber-js/min";

/** What one environment variable is: how it reads, its default, and the line `--help` prints. */
interface Setting<T> {
  readonly read: (text: string, name: string) => T;
  readonly fallback: T;
  readonly help: string;
}

/** A wrong setting; its message is the one clear line that the process prints before it exits with 2. */
export class SettingsError extends Error {}

/** What a node can run: its services by their Moleculer names. */
export const SERVICE_NAMES = [
  ...(["branch", "menu", "slot", "quota", "order", "auth", "ops"] as const),
  ...(["cart", "profile", "shop", "views", "customer"] as const),
  ...(["camera", "camera-cache"] as const),
  ...(["mirror", "relay", "http", "sockets", "grpc"] as const),
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Their values do not go into messages, which end up in logs. */
const SECRETS: readonly string[] = [
  "JWT_SECRET",
  "ADMIN_PASSWORD",
  "DATABASE_URL",
  "DATABASE_REPLICA_URL",
  "REDIS_URL",
  "NATS_URL",
  "KAFKA_PASSWORD",
];

function wrong(name: string, text: string, wanted: string): never {
  const shown = SECRETS.includes(name) ? name : `${name}=${JSON.stringify(text)}`;
  throw new SettingsError(`${shown} is not valid: expected ${wanted}.`);
}

const whole =
  (min: number, max: number) =>
  (text: string, name: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      wrong(name, text, `a whole number from ${String(min)} to ${String(max)}`);
    return value;
  };

const url =
  (...schemes: readonly string[]) =>
  (text: string, name: string): string => {
    const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : "";
    if (!schemes.includes(scheme)) wrong(name, text, `a URL with scheme ${schemes.join(" or ")}`);
    return text;
  };

const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (text: string, name: string): T => {
    const found = allowed.find((value) => value === text);
    return found ?? wrong(name, text, `one of ${allowed.join(", ")}`);
  };

const matching =
  (pattern: RegExp, wanted: string) =>
  (text: string, name: string): string =>
    pattern.test(text) ? text : wrong(name, text, wanted);

const country = (text: string, name: string): CountryCode =>
  isSupportedCountry(text) ? text : wrong(name, text, "a country as two capitals, e.g. RU");

const anyText = (text: string): string => text;
const list = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** As PEM text. */
const certificate = (text: string, name: string): string => {
  const pem = text === "system" || text.includes("-----BEGIN") ? text : textOfFile(text);
  return pem ?? wrong(name, text, "a certificate as PEM text, the path of a readable file, or system");
};

function textOfFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

const someOf =
  <T extends string>(...allowed: readonly T[]) =>
  (text: string, name: string): readonly T[] =>
    list(text).map((part) => oneOf(...allowed)(part, name));

const networks = (text: string, name: string): readonly string[] =>
  list(text).map((part) =>
    isNetwork(part) ? part : wrong(name, text, "IP addresses and CIDR networks, comma separated"),
  );

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const fits = prefix === undefined ? bits > 0 : /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  return fits && more.length === 0 && !address.includes("%");
}

const port = whole(0, 65535);
const optional = <T>(read: Setting<T>["read"], help: string): Setting<T | undefined> => ({
  read,
  fallback: undefined,
  help,
});

/** Every setting, once: reading, default and help text. Keys are the names of the environment variables. */
const SETTINGS = {
  PORT: { read: port, fallback: 8080, help: "REST, pages and sockets (0: any free port)" },
  GRPC_PORT: { read: port, fallback: 50051, help: "gRPC (0: any free port)" },
  HOST: { read: anyText, fallback: "0.0.0.0", help: "address to listen on" },
  DATA_DIR: { read: anyText, fallback: "./data", help: "the embedded database and generated secrets" },
  DATABASE_URL: optional(
    url("postgres", "postgresql"),
    "an outside PostgreSQL 15+ instead of the embedded one",
  ),
  DATABASE_REPLICA_URL: optional(
    url("postgres", "postgresql"),
    "a replica made by `npm run replica:setup`, for the shop's reads while it keeps up",
  ),
  REPLICA_LAG_MAX_MS: {
    read: whole(1, 3_600_000),
    fallback: 2_000,
    help: "a replica further behind than this is not read",
  },
  NATS_URL: optional(
    url("nats", "tls"),
    "NATS between the nodes of a fleet (default: this node is alone); needs JWT_SECRET",
  ),
  REDIS_URL: optional(url("redis", "rediss"), "Redis for caches, mirrors and channels (default: in memory)"),
  KAFKA_BROKERS: {
    read: list,
    fallback: [] as readonly string[],
    help: "host:port, comma separated: events travel by Kafka (default: straight from the log)",
  },
  KAFKA_TOPIC: {
    read: matching(/^[\w.-]{1,200}$/, "letters, digits, . - and _"),
    fallback: "pizza-orders",
    help: "Kafka topic of the events",
  },
  KAFKA_USERNAME: optional(anyText, "SASL user; needs KAFKA_PASSWORD"),
  KAFKA_PASSWORD: optional(anyText, "SASL password"),
  KAFKA_SASL_MECHANISM: {
    read: oneOf("plain", "scram-sha-256", "scram-sha-512"),
    fallback: "scram-sha-512",
    help: "plain, scram-sha-256 or scram-sha-512",
  },
  KAFKA_CA_CERT: optional(
    certificate,
    "TLS to Kafka: the CA certificate, as PEM text or as the path of a file; `system`: the CAs of this machine",
  ),
  KAFKA_RETENTION_HOURS: {
    read: whole(1, 87_600),
    fallback: 168,
    help: "how long Kafka keeps events; set when the topic is made",
  },
  SERVICES: {
    read: someOf(...SERVICE_NAMES),
    fallback: SERVICE_NAMES,
    help: `services of this node, comma separated (default: all): ${SERVICE_NAMES.join(", ")}`,
  },
  CAMERA_EVENTS_DAYS: {
    read: whole(1, 3_650),
    fallback: 7,
    help: "days that camera events are kept",
  },
  COMMAND_DAYS: {
    read: whole(1, 3_650),
    fallback: 30,
    help: "days that an Idempotency-Key finds its first answer, at least; twice as many at most",
  },
  LOG_ARCHIVE_DAYS: optional(
    whole(1, 36_500),
    "move full segments of the event log older than so many days into files in DATA_DIR (default: never)",
  ),
  NAMESPACE: {
    read: matching(/^[\w-]+$/, "letters, digits, - and _"),
    fallback: "forno",
    help: "separates fleets on one transporter",
  },
  NODE_ID: optional(
    matching(/^[\w.-]+$/, "letters, digits, . - and _"),
    "name of this node (default: host and pid)",
  ),
  JWT_SECRET: optional(
    matching(/^.{32,}$/s, "at least 32 characters"),
    "signs tokens (default: generated once into DATA_DIR)",
  ),
  ADMIN_USERNAME: { read: anyText, fallback: "admin", help: "first super admin" },
  ADMIN_PASSWORD: optional(
    matching(/^.{10,}$/s, "at least 10 characters"),
    "their password, not one that is easily guessed (default: generated, printed once)",
  ),
  CORS_ORIGINS: {
    read: list,
    fallback: [] as readonly string[],
    help: "allowed origins, comma separated (embedded mode: *)",
  },
  TRUSTED_PROXIES: {
    read: networks,
    fallback: [] as readonly string[],
    help: "whose X-Forwarded-For is believed: addresses and CIDR networks, comma separated",
  },
  RATE_LIMIT: {
    read: oneOf("on", "off"),
    fallback: "on",
    help: "limits on what callers may send and order: on or off (load tests)",
  },
  GUEST_WRITES_PER_MINUTE: {
    read: whole(0, 1_000_000),
    fallback: 120,
    help: "writes a minute of guests behind one address (0: any number; so below)",
  },
  CUSTOMER_WRITES_PER_MINUTE: {
    read: whole(0, 1_000_000),
    fallback: 120,
    help: "writes a minute of one customer's account",
  },
  STAFF_WRITES_PER_MINUTE: {
    read: whole(0, 1_000_000),
    fallback: 1_200,
    help: "writes a minute of one account of the desk or the kitchen",
  },
  SOCKET_GUESTS_MAX: {
    read: whole(0, 1_000_000),
    fallback: 4_000,
    help: "sockets of guests open at this node; as many watches over gRPC (so below)",
  },
  SOCKET_CUSTOMERS_MAX: {
    read: whole(0, 1_000_000),
    fallback: 4_000,
    help: "the same of customers who are signed in",
  },
  SOCKET_STAFF_MAX: { read: whole(1, 1_000_000), fallback: 4_000, help: "the same of staff" },
  SOCKET_ADDRESS_MAX: {
    read: whole(1, 1_000_000),
    fallback: 512,
    help: "of guests, and of customers, behind one address (IPv6: one /64)",
  },
  SOCKET_ACCOUNT_MAX: {
    read: whole(1, 1_000_000),
    fallback: 32,
    help: "of one customer's account",
  },
  ORDER_OPEN_MAX: {
    read: whole(0, 1_000_000),
    fallback: 5,
    help: "open orders of one account, and of one phone (0: any number; so below)",
  },
  ORDER_OPEN_MINOR_MAX: {
    read: whole(0, 1e12),
    fallback: 3_000_000,
    help: "what they may come to unpaid, minor units",
  },
  ORDER_ADDRESS_OPEN_MAX: {
    read: whole(0, 200),
    fallback: 20,
    help: "open orders from one address, all accounts together",
  },
  ORDER_ADDRESS_OPEN_MINOR_MAX: {
    read: whole(0, 1e12),
    fallback: 10_000_000,
    help: "what they may come to unpaid, minor units",
  },
  ORDER_BRANCH_OPEN_MAX: {
    read: whole(0, 1_000_000),
    fallback: 500,
    help: "open orders at one branch from which on only customers who are known may order",
  },
  ORDER_BRANCH_OPEN_MINOR_MAX: {
    read: whole(0, 1e12),
    fallback: 0,
    help: "the same for what they come to, minor units",
  },
  ORDER_ADDRESS_PER_MINUTE: {
    read: whole(0, 200),
    fallback: 10,
    help: "orders a minute from one address, all accounts together",
  },
  ORDER_NETWORK_PER_MINUTE: {
    read: whole(0, 200),
    fallback: 40,
    help: "orders a minute from one network (IPv4 /24, IPv6 /48)",
  },
  ORDER_CONFIRM_ABOVE_MINOR: {
    read: whole(0, 1e12),
    fallback: 2_000_000,
    help: "an order of more is taken by the desk only, minor units",
  },
  OFFER_PERCENT_MAX: {
    read: whole(0, 100),
    fallback: 50,
    help: "largest discount of a sale or promo code that others than a super admin may set, percent",
  },
  BUSINESS_OPEN_HOUR: { read: whole(0, 23), fallback: 6, help: "opening hour of a new branch, UTC" },
  BUSINESS_OPEN_MIN: { read: whole(0, 59), fallback: 0, help: "opening minute of a new branch, UTC" },
  BUSINESS_CLOSE_HOUR: { read: whole(0, 23), fallback: 20, help: "closing hour of a new branch, UTC" },
  BUSINESS_CLOSE_MIN: { read: whole(0, 59), fallback: 0, help: "closing minute of a new branch, UTC" },
  SLOT_MINUTES: { read: whole(5, 240), fallback: 15, help: "length of a slot of a new branch" },
  SLOT_CAPACITY_MINOR: {
    read: whole(0, 1e12),
    fallback: 1_000_000,
    help: "capacity of a slot of a new branch, minor units",
  },
  LEAD_TIME_MINUTES: { read: whole(0, 1440), fallback: 30, help: "from order to ready, new branch" },
  PHONE_COUNTRY: {
    read: country,
    fallback: "RU",
    help: "country whose habits phone numbers follow that come without a country code",
  },
  SEED: { read: oneOf("demo", "none"), fallback: "demo", help: "data of a first start: demo or none" },
  LOG_LEVEL: {
    read: oneOf("fatal", "error", "warn", "info", "debug", "trace"),
    fallback: "info",
    help: "fatal, error, warn, info, debug or trace",
  },
  METRICS: { read: oneOf("on", "off"), fallback: "on", help: "Prometheus metrics at /metrics: on or off" },
  OPS_PORT: optional(
    port,
    "metrics and full health for whoever reaches this port (0: any free port); else for who signs in as operator",
  ),
  OPS_HOST: { read: anyText, fallback: "127.0.0.1", help: "address that OPS_PORT listens on" },
  HSTS_S: {
    read: whole(0, 63_072_000),
    fallback: 15_552_000,
    help: "seconds for which browsers that came by TLS come by it only; 0: not said",
  },
  HTTP_HEADERS_S: { read: whole(1, 600), fallback: 15, help: "a request's headers arrive within, seconds" },
  HTTP_REQUEST_S: {
    read: whole(1, 3600),
    fallback: 60,
    help: "a request arrives as a whole within, seconds",
  },
} as const satisfies Record<string, Setting<unknown>>;

type SettingsTable = typeof SETTINGS;
type ValueOf<S> = S extends { read: (...args: never[]) => infer T; fallback: infer F } ? T | F : never;

/** The validated environment. */
export type Settings = { readonly [K in keyof SettingsTable]: ValueOf<SettingsTable[K]> };

/**
 * Reads and validates the environment. An empty variable counts as unset.
 * @throws SettingsError with one line that names the variable, its value and what was expected.
 */
export function loadSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const entries = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const text = env[name];
    return [name, text === undefined || text === "" ? setting.fallback : setting.read(text, name)] as const;
  });
  const settings = Object.fromEntries(entries) as Settings;
  checkTogether(settings);
  return { ...settings, DATA_DIR: path.resolve(settings.DATA_DIR) };
}

/** Settings that are right each by itself and wrong beside another. */
function checkTogether(settings: Settings): void {
  const { NATS_URL, JWT_SECRET, KAFKA_USERNAME, KAFKA_PASSWORD } = settings;
  if (KAFKA_USERNAME !== undefined && KAFKA_PASSWORD === undefined)
    throw new SettingsError("KAFKA_USERNAME needs KAFKA_PASSWORD.");
  if (NATS_URL !== undefined && JWT_SECRET === undefined)
    throw new SettingsError(
      "NATS_URL needs JWT_SECRET, the same on all nodes: a token of one node must be good at the others.",
    );
}

/** The text of `--help`. */
export function settingsHelp(): string {
  const width = Math.max(...Object.keys(SETTINGS).map((name) => name.length)) + 2;
  const lines = Object.entries<Setting<unknown>>(SETTINGS).map(([name, { fallback, help }]) => {
    const shown = ["string", "number"].includes(typeof fallback) ? ` [${String(fallback)}]` : "";
    return `  ${name.padEnd(width)}${help}${shown}`;
  });
  return ["Settings, by environment variable [default]:", ...lines].join("\n");
}
