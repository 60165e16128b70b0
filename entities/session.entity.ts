import { Column, Entity, PrimaryColumn } from "typeorm";

/** One login: the family of its refresh tokens. */
@Entity({ name: "sessions" })
export class SessionEntity {
  @PrimaryColumn({ type: "uuid" }) session_id!: string;
  @Column({ type: "uuid" }) user_id!: string;
  /** The login that opened it. */
  @Column({ type: "uuid" }) command_id!: string;
  @Column({ type: "text" }) fingerprint!: string;
  @Column({ type: "uuid", nullable: true }) legal_entity_id!: string | null;
  @Column({ type: "timestamptz" }) created_at!: Date;
  @Column({ type: "timestamptz" }) expires_at!: Date;
  @Column({ type: "timestamptz", nullable: true }) revoked_at!: Date | null;
  @Column({ type: "text", nullable: true }) revoked_because!: string | null;
}
