import { Column, Entity, PrimaryColumn } from "typeorm";

/** A camera of the registry. */
@Entity("cameras")
export class CameraEntity {
  @PrimaryColumn("uuid") camera_id!: string;
  @Column("text") mac_address!: string;
  @Column("text") model!: string;
  @Column("text", { nullable: true }) name!: string | null;
  @Column("json") settings!: Record<string, unknown>;
  @Column("uuid") branch_id!: string;
  @Column("text", { nullable: true }) complex_id!: string | null;
  @Column("boolean") enabled!: boolean;
  @Column("integer") version!: number;
  @Column("timestamptz") created_at!: Date;
  @Column("timestamptz") updated_at!: Date;
}
