import { MirrorStore } from "../../../services/mirror/mirror.store";
import { replaceMethod } from "../replace";

const ONE_IN = 5;

replaceMethod(
  MirrorStore.prototype,
  "step",
  (original) =>
    function step(this: MirrorStore, generation, { writes, ...rest }) {
      return original.call(this, generation, {
        ...rest,
        writes: writes.filter(({ guard }) => guard % ONE_IN !== 0),
      });
    },
);
