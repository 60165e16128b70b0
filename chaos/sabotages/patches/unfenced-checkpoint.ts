import { Checkpoint } from "../../../mixins/projection/checkpoint";
import { replaceMethod } from "../replace";

const MOVE = `update es.checkpoint set pos = $2, event_id = $3, recorded_at = $4, updated_at = now() where name = $1`;

replaceMethod(
  Checkpoint.prototype,
  "move",
  () =>
    async function move(this: Checkpoint, client, { position, event_id, recorded_at }) {
      await client.query(MOVE, [this.name, position, event_id ?? null, recorded_at ?? null]);
    },
);
