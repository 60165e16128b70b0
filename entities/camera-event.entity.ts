import { Column, Entity, PrimaryColumn } from "typeorm";

/** What a camera reported. Partitioned by day of `received_at`. */
@Entity("camera_events")
export class CameraEventEntity {
  @PrimaryColumn("uuid") event_id!: string;
  @PrimaryColumn("timestamptz") received_at!: Date;
  @Column("text") event_type!: string;
  @Column("uuid") camera_id!: string;
  @Column("text") mac_address!: string;
  @Column("text") model!: string;
  @Column("uuid") branch_id!: string;
  @Column("text", { nullable: true }) complex_id!: string | null;
  @Column("timestamptz") occurred_at!: Date;
  @Column("json") data!: Record<string, unknown>;
}
