import { Column, Entity, PrimaryColumn } from "typeorm";

/** What a customer says of themselves to the shop. */
@Entity({ name: "profiles" })
export class ProfileRow {
  @PrimaryColumn({ type: "uuid" }) user_id!: string;
  @Column({ type: "text" }) name!: string;
  @Column({ type: "text", nullable: true }) phone!: string | null;
  @Column({ type: "jsonb", default: [] }) addresses!: object[];
  @Column({ type: "date", nullable: true }) birthday!: string | null;
  @Column({ type: "text", default: "ru" }) language!: string;
  @Column({ type: "boolean", default: false }) marketing_consent!: boolean;
  @Column({ type: "timestamptz" }) updated_at!: Date;
  @Column({ type: "integer" }) version!: number;
}
