import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { loadSettings, SERVICE_NAMES } from "../../settings";

const ROOT = path.resolve(__dirname, "../..");
const textOf = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");

interface Service {
  readonly image?: string;
  readonly command?: string | readonly string[];
  readonly restart?: string;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly deploy?: {
    readonly resources?: { readonly limits?: { readonly memory?: string; readonly cpus?: string } };
  };
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

const compose = parse(textOf("docker-compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ofForno = services.filter(([, { image }]) => image?.startsWith("forno") === true);
const nodes = ofForno.filter(([, { environment }]) => environment?.["NODE_ID"] !== undefined);
/** They end when their work is done. */
const ONCE = ["replica-setup"];
/** A variable without a default. */
const REQUIRED = /\$\{(\w+):\?[^}]+\}/g;

describe("docker-compose.yml", () => {
  it("has two gateways and two workers", () => {
    expect(nodes.map(([name]) => name)).toEqual(["gateway-1", "gateway-2", "worker-1", "worker-2"]);
  });

  it.each(services)(
    "%s has a health check, comes back by itself, is bounded and of a fixed version",
    (name, service) => {
      const { healthcheck, restart, deploy, image } = service;
      if (!ONCE.includes(name)) {
        const own = (healthcheck?.test?.length ?? 0) > 1;
        expect(own || textOf("Dockerfile").includes("\nHEALTHCHECK ")).toBe(true);
        if (!image?.startsWith("forno")) expect(own).toBe(true);
        expect(restart).toBe("unless-stopped");
      }
      const { cpus, memory } = deploy?.resources?.limits ?? {};
      expect(cpus).toMatch(/^[\d.]+$/);
      expect(memory).toMatch(/^\d+[mg]$/);
      if (!image?.startsWith("forno")) expect(image).toMatch(/:v?\d/);
    },
  );

  it.each(services)(
    "%s holds no secret, and gives none a default",
    (_, { environment = {}, command = [] }) => {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|SECRET|TOKEN/.test(name)) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
        // What stands before the @ of a URL.
        const [, password] = /:\/\/[^:/]*:(.*)@/.exec(String(value)) ?? [];
        if (password !== undefined) expect(password).toMatch(/^\$\{\w+:\?[^}]+\}$/);
      }
      const words = [command].flat().join(" ").split(/\s+/);
      for (const [index, word] of words.entries())
        if (/^--(pass|requirepass|auth|token)/.test(word))
          expect(words[index + 1]).toMatch(/^("?\$\$\w+"?|\$\{\w+:\?.*)$/);
    },
  );

  it("publishes stores and tools on 127.0.0.1 at most; only nginx is open", () => {
    for (const [name, { ports = [] }] of services)
      if (name !== "nginx") for (const published of ports) expect(published).toMatch(/^127\.0\.0\.1:/);
  });

  it("keeps the stores in a network without a way in or out", () => {
    expect(compose.networks["data"]?.internal).toBe(true);
    for (const name of ["postgres", "replica", "redis", "nats", "kafka"])
      expect(compose.services[name]?.networks).toEqual(["data"]);
  });

  it.each(nodes)("%s is told settings that Forno knows", (_, { environment = {} }) => {
    const known = Object.keys(loadSettings({}));
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
    const filled = Object.entries(environment).map(([name, value]) => [name, interpolated(String(value))]);
    expect(() => loadSettings(Object.fromEntries(filled) as Record<string, string>)).not.toThrow();
  });

  it("runs every service somewhere, gateways apart from rooms", () => {
    const run = (role: string): string[] =>
      nodes
        .filter(([name]) => name.startsWith(role))
        .flatMap(([, { environment }]) => String(environment?.["SERVICES"]).split(","));
    expect([...new Set(run("gateway"))].sort()).toEqual(["grpc", "http", "sockets"]);
    expect([...new Set([...run("gateway"), ...run("worker")])].sort()).toEqual([...SERVICE_NAMES].sort());
  });

  it("asks for nothing that .env.example does not name", () => {
    const named = new Set([...textOf(".env.example").matchAll(/^(\w+)=/gm)].map(([, name]) => name));
    const asked = [...textOf("docker-compose.yml").matchAll(REQUIRED)].map(([, name]) => name);
    expect(asked.filter((name) => !named.has(name))).toEqual([]);
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe(".env.example", () => {
  it("holds no secret", () => {
    const lines = textOf(".env.example").split("\n");
    const secrets = lines.filter((line) => /^\w*(PASSWORD|SECRET|TOKEN)\w*=/.test(line));
    expect(secrets.length).toBeGreaterThan(0);
    expect(secrets.filter((line) => !line.endsWith("="))).toEqual([]);
  });
});

describe("Dockerfile", () => {
  it("ends as an ordinary user, with a health check", () => {
    const [last = ""] = textOf("Dockerfile")
      .split(/^FROM /m)
      .slice(-1);
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^HEALTHCHECK /m);
  });

  it("does not take the developer's secrets and data along", () => {
    const ignored = textOf(".dockerignore").split("\n");
    for (const name of [".env", ".git", "data", "fleet-data", "node_modules"])
      expect(ignored).toContain(name);
  });
});

describe("what stands around the nodes", () => {
  it("nginx knows the gateways, each of them for REST, sessions and gRPC, and no worker", () => {
    const upstreams = textOf("deploy/nginx/forno-upstreams.conf");
    for (const [name] of nodes)
      expect(upstreams.match(new RegExp(`server ${name}:`, "g")) ?? []).toHaveLength(
        name.startsWith("gateway") ? 3 : 0,
      );
  });

  it("Prometheus asks every node", () => {
    const { scrape_configs } = parse(textOf("deploy/prometheus/prometheus.yml")) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const targets = scrape_configs
      .filter(({ job_name }) => job_name === "forno")
      .flatMap(({ static_configs }) => static_configs.flatMap((each) => each.targets));
    expect(targets).toEqual(nodes.map(([name]) => `${name}:9464`));
  });

  it("Grafana shows metrics that Forno has", () => {
    const dashboard = JSON.parse(textOf("deploy/grafana/dashboards/forno.json")) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const sources = globSync("{services,mixins}/**/*.ts", { cwd: ROOT }).map(textOf).join("\n");
    const shown = dashboard.panels
      .flatMap(({ targets = [] }) => targets)
      .flatMap(({ expr }) => expr.match(/\b(forno|http)_\w+/g) ?? [])
      .map((name) => name.replace(/_bucket$/, ""));
    expect(shown.length).toBeGreaterThan(10);
    expect([...new Set(shown)].filter((name) => !sources.includes(`"${name}"`))).toEqual([]);
  });
});

/** As Docker Compose would, with something for every secret. */
function interpolated(text: string): string {
  return text.replace(REQUIRED, "0123456789".repeat(4)).replace(/\$\{\w+:-([^}]*)\}/g, "$1");
}
