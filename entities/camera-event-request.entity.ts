import { Column, Entity, PrimaryColumn } from "typeorm";

/** The answer to a request of camera events that carried an Idempotency-Key. */
@Entity("camera_event_requests")
export class CameraEventRequestEntity {
  @PrimaryColumn("uuid") command_id!: string;
  @Column("text") fingerprint!: string;
  @Column("json") answer!: object;
  @Column("timestamptz") received_at!: Date;
}
