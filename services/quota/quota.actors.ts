import type { ActorHost } from "../../mixins/actor/actor-host";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import { PlacedActors } from "../../mixins/actor/placed-actors";
import { act } from "../../mixins/contract/implement";
import type { Runtime } from "../../mixins/runtime";
import { offerTerms } from "../menu/menu-offer.contract";
import { flashSaleStream, promoCodeStream } from "../menu/menu.events";
import { quotaDecider, type Quota, type QuotaCommand } from "./quota.decider";
import { QUOTA_STREAMS, quotaOf } from "./quota.events";
import { loadQuota, saveQuota, SNAPSHOT_SCHEMA_V } from "./quota.snapshot";

/** The quotas: those that live on this node, and how the others are told. */
export interface Quotas {
  readonly host: ActorHost<Quota, QuotaCommand>;
  readonly placed: PlacedActors<QuotaCommand>;
}

/**
 * Makes the host of this node's quotas. An offer's limits are read from its row for each batch and guarded by its version, so
 * that nothing is given away under a limit that was just lowered, or of an offer that was just removed.
 */
export function createQuotas(runtime: Runtime): Quotas {
  const { log, clock, broker } = runtime;
  const host = createActorHost(
    { log, clock, logger: broker.getLogger("quota") },
    {
      kind: "quota",
      decider: quotaDecider,
      async given(stream_id) {
        const quota_id = quotaOf(stream_id);
        const { terms } = await act(broker, offerTerms, { offer_id: quota_id });
        if (terms === null) return { given: { quota_id, terms } };
        const { version, ...rules } = terms;
        const offer = rules.kind === "sale" ? flashSaleStream(quota_id) : promoCodeStream(quota_id);
        return {
          given: { quota_id, terms: rules },
          guards: [{ stream_id: offer, expected_version: version }],
        };
      },
      snapshot: { schema_v: SNAPSHOT_SCHEMA_V, save: saveQuota, load: loadQuota },
    },
  );
  const placed = new PlacedActors<QuotaCommand>(runtime, host, {
    action: "quota.tell_quota",
    streams: QUOTA_STREAMS,
    room: "quota",
  });
  return { host, placed };
}
