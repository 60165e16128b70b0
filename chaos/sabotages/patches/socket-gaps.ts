import { History } from "../../../services/gateway/socket/history";
import { replaceMethod } from "../replace";

replaceMethod(
  History.prototype,
  "after",
  (original) =>
    async function after(this: History, position, reached, audience) {
      const missed = await original.call(this, position, reached, audience);
      return missed && { ...missed, broadcasts: missed.broadcasts.slice(1) };
    },
);
