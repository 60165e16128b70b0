import { Column, Entity, PrimaryColumn } from "typeorm";

/** When a publication's heart beat last, and where the log stood then. */
@Entity("replica_heartbeats")
export class ReplicaHeartbeatRow {
  @PrimaryColumn("text", { primaryKeyConstraintName: "replica_heartbeats_pkey" })
  publication!: string;

  @Column("timestamptz")
  beaten_at!: Date;

  @Column("bigint")
  position!: number;
}
