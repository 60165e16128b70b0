import { BranchEntity } from "./branch.entity";
import { FlashSaleRow } from "./flash-sale.entity";
import { LegalEntityEntity } from "./legal-entity.entity";
import { LoginAttemptEntity } from "./login-attempt.entity";
import { MenuDraftRow } from "./menu-draft.entity";
import { MenuHeadRow } from "./menu-head.entity";
import { MenuItemRow } from "./menu-item.entity";
import { MenuVersionRow } from "./menu-version.entity";
import { OrderItemEntity } from "./order-item.entity";
import { OrderEntity } from "./order.entity";
import { PromoCodeRow } from "./promo-code.entity";
import { RefreshTokenEntity } from "./refresh-token.entity";
import { ReplicaHeartbeatRow } from "./replica-heartbeat.entity";
import { SessionEntity } from "./session.entity";
import { SlotEntity } from "./slot.entity";
import { UserEntity } from "./user.entity";

/** Every entity, for the data source. */
export const entities = [
  BranchEntity,
  FlashSaleRow,
  LegalEntityEntity,
  LoginAttemptEntity,
  MenuDraftRow,
  MenuHeadRow,
  MenuItemRow,
  MenuVersionRow,
  OrderItemEntity,
  OrderEntity,
  PromoCodeRow,
  RefreshTokenEntity,
  ReplicaHeartbeatRow,
  SessionEntity,
  SlotEntity,
  UserEntity,
];
