import type { ActionSchema } from "moleculer";
import type { CommandIdentity, Ctx } from "../../mixins/contract/caller";
import type { SigningKeys } from "./signing-keys";

/**
 * A command's fingerprint is a plain hash of its parameters, passwords among them: kept as it is, it would let a reader of
 * the database try passwords at full speed. Sealed with a key of this chain it tells nobody anything.
 */
export function sealed(identity: CommandIdentity, keys: SigningKeys): CommandIdentity {
  return {
    ...identity,
    fingerprint: keys.digest("command fingerprint", identity.fingerprint).toString("hex").slice(0, 32),
  };
}

/** An action whose command's fingerprint is sealed before anything is kept. */
export function sealing(keys: SigningKeys, action: ActionSchema): ActionSchema {
  const { handler } = action as { handler: (ctx: Ctx<unknown>) => Promise<unknown> };
  return {
    ...action,
    async handler(ctx: Ctx<unknown>): Promise<unknown> {
      const { command } = ctx.meta;
      if (command === undefined) return handler(ctx);
      ctx.meta.command = sealed(command, keys);
      try {
        return await handler(ctx);
      } finally {
        // `meta` travels back to the caller, who may call again with it.
        ctx.meta.command = command;
      }
    },
  };
}
