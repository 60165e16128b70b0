import { Column, Entity, PrimaryColumn } from "typeorm";

/** Failed logins by who tries, from where, or at which account; the key is a hash. */
@Entity({ name: "login_attempts" })
export class LoginAttemptEntity {
  @PrimaryColumn({ type: "text" }) key!: string;
  @Column({ type: "integer" }) failures!: number;
  @Column({ type: "timestamptz" }) attempted_at!: Date;
  @Column({ type: "timestamptz", nullable: true }) paused_until!: Date | null;
}
