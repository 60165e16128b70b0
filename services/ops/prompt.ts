import { createRequire } from "node:module";
import type { REPLServer } from "node:repl";
import type { BrokerOptions, ServiceBroker } from "moleculer";
import type { Runtime } from "../../mixins/runtime";
import { operatorCommands } from "./operator-commands";

type ReplCommands = NonNullable<NonNullable<BrokerOptions["replOptions"]>["customCommands"]>;

/** moleculer-repl's list of commands, as far as it is touched here. */
interface Program {
  command(name: string): unknown;
}
/** One of moleculer-repl's own commands: its module registers it when a prompt is opened. */
interface BuiltIn {
  readonly handler: () => Promise<void>;
  readonly declaration: (program: Program, broker: ServiceBroker, handler: () => Promise<void>) => void;
  register: (program: Program, broker: ServiceBroker) => void;
}

/**
 * Opens the operators' prompt: Moleculer's commands and ours. `leave` is what `exit`, `q` and the end of the input do, once;
 * by themselves they would stop the broker and leave the database running.
 */
export function openPrompt(runtime: Runtime, leave: () => void): void {
  const { broker } = runtime;
  let left = false;
  const leaveOnce = (): void => {
    if (!left) leave();
    left = true;
  };
  // Our `events` are those of the log; Moleculer's list of listeners goes by another name.
  const listeners = builtIn("events");
  listeners.register = (program) => {
    listeners.declaration({ command: () => program.command("event-listeners") }, broker, listeners.handler);
  };
  // Moleculer's own cacher is off: `cache` is the tagged one.
  builtIn("cache").register = () => undefined;
  const quit = builtIn("quit");
  quit.register = (program) => {
    quit.declaration(program, broker, () => {
      leaveOnce();
      return Promise.resolve();
    });
  };
  // Moleculer's types say that a command gets a list of strings; moleculer-repl hands it an object.
  const customCommands = operatorCommands(runtime) as unknown as ReplCommands;
  broker.options.replOptions = { delimiter: "forno $", customCommands };
  // Typed as void; it is the prompt.
  const repl: () => unknown = () => broker.repl();
  const server = repl() as REPLServer;
  server.removeAllListeners("exit");
  server.once("exit", leaveOnce);
}

function builtIn(name: string): BuiltIn {
  return createRequire(__filename)(`moleculer-repl/src/commands/${name}`) as BuiltIn;
}
