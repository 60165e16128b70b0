import { networkOf } from "../../../mixins/contract/client-network";

it.each([
  ["203.0.113.7", "203.0.113.0/24"],
  ["203.0.113.255", "203.0.113.0/24"],
  ["2001:db8:1:2", "2001:db8:1/48"],
  ["0:0:0:0", "0:0:0/48"],
  ["inside", undefined],
  ["", undefined],
  [undefined, undefined],
])("the network of %s is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
