import { Checkpoint } from "../../../mixins/projection/checkpoint";
import { replaceMethod } from "../replace";

const MOVE = "update es.checkpoint set pos = $2, updated_at = now() where name = $1";

replaceMethod(
  Checkpoint.prototype,
  "move",
  () =>
    async function move(this: Checkpoint, client, through) {
      await client.query(MOVE, [this.name, through]);
    },
);
