import { Column, Entity, PrimaryColumn } from "typeorm";

/** A refresh token, by its hash alone. */
@Entity({ name: "refresh_tokens" })
export class RefreshTokenEntity {
  @PrimaryColumn({ type: "bytea" }) token_hash!: Buffer;
  @Column({ type: "uuid" }) session_id!: string;
  @Column({ type: "timestamptz" }) issued_at!: Date;
  @Column({ type: "timestamptz" }) expires_at!: Date;
  @Column({ type: "timestamptz", nullable: true }) used_at!: Date | null;
  /** The command that used it. */
  @Column({ type: "uuid", nullable: true }) used_by!: string | null;
}
