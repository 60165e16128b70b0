import { Column, Entity, PrimaryColumn } from "typeorm";

/** Somebody who can sign in. */
@Entity({ name: "users" })
export class UserEntity {
  @PrimaryColumn({ type: "uuid" }) user_id!: string;
  @Column({ type: "text" }) role!: string;
  @Column({ type: "text" }) status!: string;
  @Column({ type: "text" }) name!: string;
  @Column({ type: "text", nullable: true }) email!: string | null;
  @Column({ type: "text", nullable: true }) phone!: string | null;
  @Column({ type: "text", nullable: true }) username!: string | null;
  /** Left out of a `find` unless asked for by name. */
  @Column({ type: "text", nullable: true, select: false }) password_hash!: string | null;
  @Column({ type: "uuid", array: true, nullable: true }) branch_ids!: string[] | null;
  @Column({ type: "uuid", nullable: true }) legal_entity_id!: string | null;
  /** Of the user's stream. */
  @Column({ type: "integer" }) version!: number;
  /** The version that last changed what the user may do. */
  @Column({ type: "integer" }) rights_version!: number;
  /** Devices that were known before this are known no more. */
  @Column({ type: "timestamptz", nullable: true }) devices_since!: Date | null;
  @Column({ type: "timestamptz" }) created_at!: Date;
  @Column({ type: "timestamptz" }) changed_at!: Date;
}
