import { quotaDecider } from "../../../services/quota/quota.decider";
import { replaceMethod } from "../replace";

replaceMethod(quotaDecider, "decide", (original) => (command, state, given) => {
  const terms = given.terms && { ...given.terms, limit_total: null };
  return original(command, state, { ...given, terms });
});
