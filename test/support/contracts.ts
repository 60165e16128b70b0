import { authContracts } from "../../services/auth/auth.contract";
import { branchContracts } from "../../services/branch/branch.contract";
import { legalEntityContracts } from "../../services/branch/legal-entity.contract";
import { cameraCacheContracts } from "../../services/camera-cache/camera-cache.contract";
import { cameraEventsContracts } from "../../services/camera/camera-events.contract";
import { cameraContracts } from "../../services/camera/camera.contract";
import { cartContracts } from "../../services/cart/cart.contract";
import { customerContracts } from "../../services/customer/customer.contract";
import { menuContracts } from "../../services/menu/menu.contract";
import { opsContracts } from "../../services/ops/ops.contract";
import { orderContracts } from "../../services/order/order.contract";
import { profileContracts } from "../../services/profile/profile.contract";
import { shopContracts } from "../../services/shop/shop.contract";
import { slotContracts } from "../../services/slot/slot.contract";
import { viewsContracts } from "../../services/views/views.contract";

/** Every contract, listed a second time: a service that the gateway forgets is found by it. */
export const CONTRACTS = [
  ...orderContracts,
  ...slotContracts,
  ...menuContracts,
  ...branchContracts,
  ...legalEntityContracts,
  ...authContracts,
  ...cartContracts,
  ...profileContracts,
  ...shopContracts,
  ...viewsContracts,
  ...customerContracts,
  ...cameraContracts,
  ...cameraEventsContracts,
  ...cameraCacheContracts,
  ...opsContracts,
];
