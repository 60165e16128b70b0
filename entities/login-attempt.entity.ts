import { Column, Entity, PrimaryColumn } from "typeorm";

/** Failed logins of an account, of an address, or of both together; the key is a hash. */
@Entity({ name: "login_attempts" })
export class LoginAttemptEntity {
  @PrimaryColumn({ type: "text" }) key!: string;
  @Column({ type: "integer" }) failures!: number;
  @Column({ type: "timestamptz" }) attempted_at!: Date;
  @Column({ type: "timestamptz", nullable: true }) paused_until!: Date | null;
  @Column({ type: "timestamptz", nullable: true }) succeeded_at!: Date | null;
}
