import { Column, Entity, PrimaryColumn } from "typeorm";

/** A key by which devices of a branch send events. */
@Entity("camera_keys")
export class CameraKeyEntity {
  @PrimaryColumn("uuid") key_id!: string;
  @Column("uuid") branch_id!: string;
  @Column("text") name!: string;
  @Column("text") digest!: string;
  @Column("integer") version!: number;
  @Column("timestamptz") created_at!: Date;
  @Column("timestamptz") updated_at!: Date;
}
