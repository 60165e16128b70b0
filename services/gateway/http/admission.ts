import type { Context } from "moleculer";
import type { Caller, CallMeta } from "../../../mixins/contract/caller";
import type { ActionContract } from "../../../mixins/contract/contract";
import { permissionRefusal } from "../../../mixins/contract/implement";
import { RefusedError, refuse } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import type { Runtime } from "../../../mixins/runtime";
import { callLimitsOf } from "../call-limits";
import { guestTokenOf, keyHolder, type Carried, type KeyHolder } from "../key-holder";
import { cartTokenOf, cookieCartToken } from "./cart-token";
import { clientAddresses } from "./client-address";
import { deviceTokenOf } from "./device-token";
import type { Door } from "./door";
import { paramsOfRequest } from "./door-params";
import { exchangeOf, type Request } from "./exchange";
import { rolesOf } from "./gateway-refusals";
import { cookieGuestToken } from "./guest-token";
import { callerOfRequest } from "./identity";
import { commandIdentity } from "./idempotency";
import { ProvenKeys } from "./proven-keys";
import { addressKey } from "./rate-limit";

/** W3C trace context, version 00. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const KEY_REQUIRED = refuse(
  "unauthorized",
  "auth.required",
  "Send a key in X-API-Key, or sign in: this needs one of them.",
);

type Admit = (
  ctx: Context,
  door: Door,
  req: Request,
  path: Record<string, unknown>,
) => Promise<Record<string, unknown>>;

/**
 * Lets a request in, or throws why not, cheapest question first: who asks, how often, may they, what do they want. Fills
 * the call's meta (made for this request alone) and returns the parameters.
 */
export function admission(
  runtime: Pick<Runtime, "broker" | "clock" | "settings" | "redis">,
  auth: TokenVerifier,
): Admit {
  const limits = callLimitsOf(runtime);
  const proven = new ProvenKeys(() => runtime.clock.now());
  const addressOf = clientAddresses(runtime.settings.TRUSTED_PROXIES);
  return async (ctx, door, req, path) => {
    const { contract } = door;
    const address = addressKey(addressOf(req.socket.remoteAddress, req.headers["x-forwarded-for"]));
    const caller = await callerOfRequest(req.headers.authorization, auth);
    const given = contract.api_key === true ? req.headers["x-api-key"] : undefined;
    const api_key = typeof given === "string" ? given : undefined;
    const keyed = contract.api_key === true && caller.role === "guest";
    const trusted = !keyed || (api_key !== undefined && proven.has(api_key));
    await limits.count({ contract, caller, address, trusted });
    const refusal = permissionRefusal(contract, caller);
    if (refusal !== undefined) throw new RefusedError(refusal);
    if (keyed && api_key === undefined) throw new RefusedError(KEY_REQUIRED);
    if (keyed && api_key !== undefined)
      exchangeOf(req).answered = (status) => {
        proven.answered(api_key, status);
      };
    const params = await paramsOfRequest(door, req, path);
    const meta = ctx.meta as CallMeta;
    meta.caller = caller;
    meta.client_address = address;
    ctx.requestID = meta.request_id = exchangeOf(req).request_id;
    const { traceparent, "idempotency-key": key } = req.headers;
    if (typeof traceparent === "string" && TRACEPARENT.test(traceparent)) meta.traceparent = traceparent;
    const cart_token = contract.cart_token === true ? cartTokenOf(req.headers) : undefined;
    if (cart_token !== undefined) meta.cart_token = cart_token;
    const device_token = contract.device_token === true ? deviceTokenOf(req.headers) : undefined;
    if (device_token !== undefined) meta.device_token = device_token;
    if (api_key !== undefined) meta.api_key = api_key;
    if (contract.kind === "command") {
      // Whoever sends one hears that it is none, signed in or not.
      const guest_token = rolesOf(door).includes("guest")
        ? guestTokenOf(req.headers["x-guest-token"])
        : undefined;
      meta.command = commandIdentity(
        typeof key === "string" ? key : undefined,
        (sent) => holderOf(sent, caller, contract, req, { guest_token, api_key }),
        contract.name,
        params,
      );
    }
    return params;
  };
}

/** Whose the key of a request is; a guest who is nobody yet is told who they are. */
function holderOf(
  key: string,
  caller: Caller,
  contract: ActionContract,
  req: Request,
  carried: Pick<Carried, "guest_token" | "api_key">,
): KeyHolder {
  const { headers } = req;
  const holder = keyHolder(key, caller, contract, {
    ...carried,
    guest_cookie: cookieGuestToken(headers),
    cart_token: contract.cart_token === true ? cartTokenOf(headers) : cookieCartToken(headers),
  });
  if (holder.new_guest_token !== undefined) exchangeOf(req).new_guest_token = holder.new_guest_token;
  return holder;
}
