import type { FaultName } from "../schedule";
import { frozenStandby } from "./frozen-standby";
import { killKafka, killNats } from "./brokers";
import { contestCheckpoint } from "./contest-checkpoint";
import { cutCommit } from "./cut-commit";
import type { Fault } from "./fault";
import { freezeNode } from "./freeze-node";
import { killNode, killSequencer } from "./kill-node";
import { killPostgres } from "./kill-postgres";
import { partition } from "./partition";
import { emptyRedis, flushRedis, killRedis } from "./redis";
import { rollingRestart } from "./rolling-restart";

/** Every fault by its name. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  "kill-node": killNode,
  "kill-sequencer": killSequencer,
  "kill-postgres": killPostgres,
  "cut-commit": cutCommit,
  "freeze-node": freezeNode,
  "rolling-restart": rollingRestart,
  "kill-redis": killRedis,
  "empty-redis": emptyRedis,
  "flush-redis": flushRedis,
  "kill-nats": killNats,
  "kill-kafka": killKafka,
  partition,
  "frozen-standby": frozenStandby,
  "contest-checkpoint": contestCheckpoint,
};
