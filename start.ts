import { boot, type Forno } from "./boot";
import { DataDirInUseError } from "./mixins/postgres/embedded-postgres";
import { MigrationError } from "./mixins/postgres/migration-files";
import { loadSettings, settingsHelp, SettingsError, type Settings } from "./settings";

/** Exit codes: 2 for a wrong setting or command line, 1 for a start that failed. */
const WRONG_USAGE = 2;
const FAILED = 1;
const FLAGS = ["--help", "--repl"];

const USAGE = `Forno, a back end for a pizzeria chain.

  npm start              run it        npm run repl           run it with the operators' prompt
  --help                 this text     --repl                 with the operators' prompt

${settingsHelp()}`;

function end(code: number, message: string): never {
  console.error(message);
  process.exit(code);
}

function settingsOrEnd(): Settings {
  try {
    return loadSettings(process.env);
  } catch (error) {
    if (error instanceof SettingsError) end(WRONG_USAGE, error.message);
    throw error;
  }
}

function banner(forno: Forno, started_ms: number): string {
  const { admin, ports, runtime } = forno;
  const runs: readonly string[] = runtime.settings.SERVICES;
  const base = `http://localhost:${String(ports.http)}`;
  const lines = [`Forno is ready after ${((performance.now() - started_ms) / 1000).toFixed(1)} s.`];
  if (runs.includes("http"))
    lines.push(`  page       ${base}/`, `  REST       ${base}/api/v1       try it: ${base}/api/docs`);
  else lines.push(`  health     ${base}/api/v1/health/ready`);
  if (runs.includes("sockets"))
    lines.push(
      `  sockets    ws://localhost:${String(ports.http)}/api/v1/ws, /api/v1/erp/ws, /ws, /subscribe · socket.io /kitchen, /erp, /shop, /cameras`,
    );
  if (ports.grpc !== undefined) lines.push(`  gRPC       localhost:${String(ports.grpc)}`);
  if (ports.ops !== undefined) {
    const { OPS_HOST } = runtime.settings;
    const ops = `http://${OPS_HOST.includes(":") ? `[${OPS_HOST}]` : OPS_HOST}:${String(ports.ops)}`;
    lines.push(`  operators  ${ops}/metrics · ${ops}/api/v1/health`);
  }
  lines.push(`  database   ${forno.database}`);
  if (runtime.settings.NATS_URL !== undefined)
    lines.push(`  node       ${runtime.broker.nodeID} of a fleet, runs ${runs.join(", ")}`);
  if (admin?.generated_password !== undefined)
    lines.push(
      ``,
      `  First start: sign in as ${admin.username} with the password ${admin.generated_password}`,
      `  It is shown this once; it is not stored in clear.`,
      ``,
    );
  return lines.join("\n");
}

async function main(): Promise<void> {
  const started_ms = performance.now();
  const unknown = process.argv.slice(2).find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined) end(WRONG_USAGE, `${unknown} is not an option; --help lists what is.`);
  if (process.argv.includes("--help")) {
    console.log(USAGE);
    return;
  }
  const forno = await boot(settingsOrEnd());
  const stop = stopOnSignals(forno);
  console.log(banner(forno, started_ms));
  if (process.argv.includes("--repl")) forno.openRepl(stop);
}

/**
 * The first signal stops gracefully: exit code 0, or 1 when something had to be cut. A second one ends at once. Answers with
 * the way to stop without a signal.
 */
function stopOnSignals(forno: Forno): () => void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(FAILED);
    stopping = true;
    const begun_ms = performance.now();
    forno.stop().then(
      (cut) => {
        if (cut.length === 0) process.exit(0);
        const seconds = ((performance.now() - begun_ms) / 1000).toFixed(1);
        end(FAILED, `Stopped after ${seconds} s; cut off in the middle: ${cut.join(", ")}.`);
      },
      (error: unknown) => end(FAILED, `Stopping failed: ${String(error)}`),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  return stop;
}

main().catch((error: unknown) => {
  if (error instanceof DataDirInUseError || error instanceof MigrationError) end(FAILED, error.message);
  // One that only the database could tell to be wrong.
  if (error instanceof SettingsError) end(WRONG_USAGE, error.message);
  // gRPC says it in its message alone.
  if (error instanceof Error && error.message.includes("EADDRINUSE"))
    end(FAILED, `${error.message}: set PORT, GRPC_PORT or OPS_PORT to a free port.`);
  end(FAILED, error instanceof Error ? (error.stack ?? error.message) : String(error));
});
