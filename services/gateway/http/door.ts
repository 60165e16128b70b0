import { Type, type TObject, type TSchema } from "@sinclair/typebox";
import type { ActionContract, RestBinding } from "../../../mixins/contract/contract";
import { validatorOf, type Validate } from "../../../mixins/contract/validation";

/** One REST binding of one contract, with everything that a request through it needs, prepared at start. */
export interface Door {
  readonly contract: ActionContract;
  readonly binding: RestBinding;
  /** `GET /api/v1/erp/orders/:order_id`: names the door in metrics and rate limits. */
  readonly title: string;
  /** Names of the path parameters. */
  readonly path_names: readonly string[];
  /** Path names and fixed names: what a query or a body may not say as well. */
  readonly taken_names: readonly string[];
  readonly takes_body: boolean;
  /**
   * Turns text into what the schema wants and refuses what does not fit: all parameters of a door without a body, the
   * path parameters of a door with one (its action checks the body).
   */
  readonly coerce: Validate;
}

const PATH = /^(?:\/[\w.~-]+|\/:[a-z]\w*)+$/;

/**
 * The doors of all contracts.
 * @throws Error when a binding cannot work: a clash of method and path, a path parameter that the contract does not have,
 *   parameters that are not strict, an internal action.
 */
export function doorsOf(contracts: readonly ActionContract[]): Door[] {
  const doors = contracts.flatMap((contract) =>
    (contract.rest ?? []).map((binding) => doorOf(contract, binding)),
  );
  const seen = new Map<string, Door>();
  for (const door of doors) {
    // `/orders/:id` and `/orders/:order_id` are one path.
    const shape = `${door.binding.method} ${door.binding.path.replaceAll(/:\w+/g, ":")}`;
    const other = seen.get(shape);
    if (other !== undefined)
      throw new Error(`Two actions share ${door.title}: ${other.contract.name} and ${door.contract.name}.`);
    seen.set(shape, door);
  }
  return doors;
}

function doorOf(contract: ActionContract, binding: RestBinding): Door {
  const title = `${binding.method} ${binding.path}`;
  const fail = (why: string): never => {
    throw new Error(`${contract.name} cannot have the door ${title}: ${why}.`);
  };
  if (!PATH.test(binding.path)) fail("the path is not of segments and :names");
  if (contract.permission === "internal") fail("the action is internal");
  if (contract.params.additionalProperties !== false) fail("its params are not a strictObject");
  if (contract.kind === "command" && binding.method === "GET") fail("a GET must not change anything");
  const path_names = [...binding.path.matchAll(/:(\w+)/g)].map((found) => found[1] ?? "");
  const fixed_names = Object.keys(binding.fixed ?? {});
  for (const name of [...path_names, ...fixed_names])
    if (!Object.hasOwn(contract.params.properties, name)) fail(`it has no parameter ${name}`);
  const takes_body = binding.method === "POST" || binding.method === "PUT";
  const { body_array } = binding;
  if (body_array !== undefined) {
    const { type } = (contract.params.properties[body_array] ?? {}) as TSchema;
    if (!takes_body || type !== "array") fail(`its body cannot be the list ${body_array}`);
    const names = Object.keys(contract.params.properties);
    if (names.length !== path_names.length + fixed_names.length + 1) fail("its body is one parameter alone");
  }
  return {
    contract,
    binding,
    title,
    path_names,
    taken_names: [...path_names, ...fixed_names],
    takes_body,
    coerce: validatorOf(takes_body ? only(contract.params, path_names) : contract.params, "coerce"),
  };
}

function only(params: TObject, names: readonly string[]): TObject {
  const properties = names.map((name): [string, TSchema] => [name, params.properties[name] as TSchema]);
  return Type.Object(Object.fromEntries(properties), { additionalProperties: false });
}
