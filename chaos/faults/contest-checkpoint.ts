import type { Fault } from "./fault";

/** A read model whose events are rare, so that another host may pass the others in its place. */
const NAME = "branches";
const HANDLES = "branch.%";

/** Another host moves a read model's checkpoint at the moment when the one at work is about to. */
export const contestCheckpoint: Fault = {
  async strike({ watch }) {
    const { from, to } = await watch.contest(NAME, HANDLES);
    return `${NAME} from ${String(from)} to ${String(to)}`;
  },
};
