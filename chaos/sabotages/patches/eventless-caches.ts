import { CacheRules } from "../../../mixins/cache-tags/cache-rules";
import { replaceMethod } from "../replace";

replaceMethod(
  CacheRules.prototype,
  "groups",
  (original) =>
    function groups(this: CacheRules) {
      return original
        .call(this)
        .map((group) => ({ ...group, endingOf: () => ({ tags: [], patterns: [], actions: [] }) }));
    },
);
