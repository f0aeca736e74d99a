/** Everything a rule may use: `import { Tx, Severity, filter, alert, ether } from "@weir/rules"`. */
export { Tx } from "./tx";
export { Log } from "./log";
export { Entries } from "./entries";
export { Swap, Arbitrage, Sandwich, Liquidation, Jit, Confidence, SandwichRole, JitRole } from "./facts";
export { AccessListEntry } from "./accessList";
export { Severity, alert, tag, score } from "./results";
export { OnError, name, version, describe, severity, onError } from "./manifest";
export { filter } from "./filter";
export { param } from "./param";
export { U256, U128, u256, ether, gwei, units, formatUnits, formatEther, formatGwei } from "./u256";
export { Address, Bytes32, Bytes, address, bytes32, bytes } from "./bytes";
export { AbiData, AbiArray } from "./abiData";
export { amount, nameOf } from "./label";
export { AddressSet, addressSet } from "./addressSet";
export { AddressList, TopicList, SelectorList, addressList, topicList, selectorList } from "./list";
export { Counter, Window, counter, counterOf, window, windowOf } from "./state";
export { selector, topic } from "./signature";
export { keccak256 } from "./keccak";
