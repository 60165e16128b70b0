import type { Evidence, Violation } from "./evidence";

/**
 * A checkpoint only goes forward, and refuses a second writer: whoever waited while another host moved it, must not move it
 * from where it no longer is.
 */
export function checkpoints({ moves, contests }: Pick<Evidence, "moves" | "contests">): Violation[] {
  const back = moves
    .filter(({ from, to }) => to < from)
    .map(({ name, from, to }) => ({
      promise: "checkpoint.went_back",
      detail: `${name} from ${from} to ${to}`,
    }));
  const unfenced = contests.flatMap(({ name, waiting, to }) =>
    moves
      .filter((move) => move.name === name && waiting.includes(move.xid))
      .map((move) => ({
        promise: "checkpoint.not_fenced",
        detail: `${name} was moved from ${move.from} to ${move.to} by who had not seen that another host was at ${to}`,
      })),
  );
  return [...back, ...unfenced];
}
