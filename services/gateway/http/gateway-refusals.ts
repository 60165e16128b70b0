import { PERMISSIONS } from "../../../mixins/contract/permissions";
import type { Role } from "../../../mixins/contract/caller";
import type { Door } from "./door";

/** Any request, before anybody looks whose door it knocks at. */
const ANY_REQUEST = [
  "http.malformed",
  "http.bad_encoding",
  "http.timeout",
  "http.headers_too_large",
] as const;
/** Whoever sends a token. */
const ANY_TOKEN = [
  ...["auth.bad_header", "auth.token_invalid", "auth.token_expired", "auth.token_revoked"],
] as const;
const BODY = [
  ...["http.aborted", "http.bad_json", "http.body_too_large", "http.media_type", "http.content_encoding"],
  ...["input.not_an_object", "input.forbidden_key", "input.too_deep"],
] as const;

/** Whether a role may ask for an operation at all. */
export const rolesOf = ({ contract }: Pick<Door, "contract">): readonly Role[] =>
  PERMISSIONS[contract.permission];

const SIGNED_IN = PERMISSIONS.session;

/**
 * Codes with which the edge can refuse a request at a door, whatever its room says: they follow from how the door is made
 * (method, parameters, rights, kind), as the refusals do.
 */
export function gatewayRefusals(door: Pick<Door, "contract" | "takes_body">): readonly string[] {
  const { contract, takes_body } = door;
  const { properties } = contract.params;
  const roles = rolesOf(door);
  const guests = roles.includes("guest");
  const commands = contract.kind === "command";
  const codes: readonly (readonly [boolean, readonly string[]])[] = [
    [true, ANY_REQUEST],
    [true, ANY_TOKEN],
    // Unknown names are refused where there are no parameters, too.
    [true, ["input.invalid"]],
    [takes_body, BODY],
    [!takes_body, ["http.body_not_expected"]],
    [!guests || contract.api_key === true, ["auth.required"]],
    [SIGNED_IN.some((role) => !roles.includes(role)), ["auth.forbidden"]],
    [contract.reach === "chain", ["auth.chain_only"]],
    [commands || contract.rate_per_minute !== undefined, ["rate.limited"]],
    [commands, ["idempotency.bad_key", "idempotency.key_reused"]],
    [commands && guests, ["guest.bad_token"]],
    [contract.cart_token === true, ["cart.bad_token"]],
    [Object.hasOwn(properties, "cursor"), ["input.cursor_malformed"]],
    [Object.hasOwn(properties, "after"), ["input.position_unknown"]],
  ];
  return codes.flatMap(([holds, some]) => (holds ? some : []));
}
