/** Functions that transactions call, besides routers' swaps (registry/methods.ts): by selector, which a test computes. */

/** Those that hand on other calls. `calls` says where in their arguments; `[i]` runs over an array. */
export interface Container {
  readonly signature: string;
  readonly calls:
    | {
        /** Argument that names the contract; without one it is the called contract itself. */
        readonly to?: string;
        /** Argument with the call data. */
        readonly input: string;
        readonly value?: string;
        /** Argument that is 1 for a delegate call. */
        readonly operation?: string;
        /** It always runs as code of the called contract. */
        readonly delegates?: true;
      }
    /** Safe's MultiSend: calls back to back in one argument. */
    | { readonly packed: string }
    /** Uniswap's Universal Router: a byte of `commands` for each of the inputs. */
    | { readonly commands: string; readonly input: string };
}

// biome-ignore format: a line each
export const CONTAINERS: Readonly<Record<string, Container>> = {
  // Multicall of contracts that call themselves: Uniswap's routers and position managers, ENS
  "0xac9650d8": { signature: "function multicall(bytes[] data)", calls: { input: "data[i]", delegates: true } },
  "0x5ae401dc": { signature: "function multicall(uint256 deadline, bytes[] data)", calls: { input: "data[i]", delegates: true } },
  "0x1f0464d1": { signature: "function multicall(bytes32 previousBlockhash, bytes[] data)", calls: { input: "data[i]", delegates: true } },
  // Multicall, Multicall2, Multicall3
  "0x252dba42": { signature: "function aggregate((address target, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData" } },
  "0xbce38bd7": { signature: "function tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData" } },
  "0xc3077fa9": { signature: "function blockAndAggregate((address target, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData" } },
  "0x399542e9": { signature: "function tryBlockAndAggregate(bool requireSuccess, (address target, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData" } },
  "0x82ad56cb": { signature: "function aggregate3((address target, bool allowFailure, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData" } },
  "0x174dea71": { signature: "function aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls)", calls: { to: "calls[i].target", input: "calls[i].callData", value: "calls[i].value" } },
  // Universal Router
  "0x3593564c": { signature: "function execute(bytes commands, bytes[] inputs, uint256 deadline)", calls: { commands: "commands", input: "inputs[i]" } },
  "0x24856bc3": { signature: "function execute(bytes commands, bytes[] inputs)", calls: { commands: "commands", input: "inputs[i]" } },
  // Safe and its MultiSend
  "0x6a761202": { signature: "function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures)", calls: { to: "to", input: "data", value: "value", operation: "operation" } },
  "0x468721a7": { signature: "function execTransactionFromModule(address to, uint256 value, bytes data, uint8 operation)", calls: { to: "to", input: "data", value: "value", operation: "operation" } },
  "0x8d80ff0a": { signature: "function multiSend(bytes transactions)", calls: { packed: "transactions" } },
  // ERC-4337: entry point 0.6 and 0.7, and what accounts have behind it
  "0x1fad948c": { signature: "function handleOps((address sender, uint256 nonce, bytes initCode, bytes callData, uint256 callGasLimit, uint256 verificationGasLimit, uint256 preVerificationGas, uint256 maxFeePerGas, uint256 maxPriorityFeePerGas, bytes paymasterAndData, bytes signature)[] ops, address beneficiary)", calls: { to: "ops[i].sender", input: "ops[i].callData" } },
  "0x765e827f": { signature: "function handleOps((address sender, uint256 nonce, bytes initCode, bytes callData, bytes32 accountGasLimits, uint256 preVerificationGas, bytes32 gasFees, bytes paymasterAndData, bytes signature)[] ops, address beneficiary)", calls: { to: "ops[i].sender", input: "ops[i].callData" } },
  "0xb61d27f6": { signature: "function execute(address dest, uint256 value, bytes func)", calls: { to: "dest", input: "func", value: "value" } },
  "0x18dfb3c7": { signature: "function executeBatch(address[] dest, bytes[] func)", calls: { to: "dest[i]", input: "func[i]" } },
  "0x47e1da2a": { signature: "function executeBatch(address[] dest, uint256[] value, bytes[] func)", calls: { to: "dest[i]", input: "func[i]", value: "value[i]" } },
  "0x34fcd5be": { signature: "function executeBatch((address target, uint256 value, bytes data)[] calls)", calls: { to: "calls[i].target", input: "calls[i].data", value: "calls[i].value" } },
  // DSProxy
  "0x1cff79cd": { signature: "function execute(address target, bytes data)", calls: { to: "target", input: "data", delegates: true } },
  // OpenZeppelin's TimelockController: what is done, and what will be
  "0x134008d3": { signature: "function execute(address target, uint256 value, bytes payload, bytes32 predecessor, bytes32 salt)", calls: { to: "target", input: "payload", value: "value" } },
  "0xe38335e5": { signature: "function executeBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt)", calls: { to: "targets[i]", input: "payloads[i]", value: "values[i]" } },
  "0x01d5062a": { signature: "function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)", calls: { to: "target", input: "data", value: "value" } },
  // proxies: the new code is called at once
  "0x4f1ef286": { signature: "function upgradeToAndCall(address newImplementation, bytes data)", calls: { to: "newImplementation", input: "data", delegates: true } },
  "0x9623609d": { signature: "function upgradeAndCall(address proxy, address implementation, bytes data)", calls: { to: "implementation", input: "data", delegates: true } },
};

/** Functions that hand nothing on. */
// biome-ignore format: a line each
export const FUNCTIONS: Readonly<Record<string, string>> = {
  "0xa9059cbb": "transfer(address,uint256)",
  "0x23b872dd": "transferFrom(address,address,uint256)",
  "0x42842e0e": "safeTransferFrom(address,address,uint256)",
  "0xb88d4fde": "safeTransferFrom(address,address,uint256,bytes)",
  "0xf242432a": "safeTransferFrom(address,address,uint256,uint256,bytes)",
  "0x095ea7b3": "approve(address,uint256)",
  "0x39509351": "increaseAllowance(address,uint256)",
  "0xa457c2d7": "decreaseAllowance(address,uint256)",
  "0xa22cb465": "setApprovalForAll(address,bool)",
  "0xd505accf": "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
  "0x8fcbaf0c": "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
  "0xf3995c67": "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)",
  "0x87517c45": "approve(address,address,uint160,uint48)",
  "0x2b67b570": "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)",
  "0x2a2d80d1": "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)",
  "0x36c78516": "transferFrom(address,address,uint160,address)",
  "0x30f28b7a": "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)",
  "0xd0e30db0": "deposit()",
  "0x2e1a7d4d": "withdraw(uint256)",
  "0x49404b7c": "unwrapWETH9(uint256,address)",
  "0x12210e8a": "refundETH()",
  "0xdf2ab5bb": "sweepToken(address,uint256,address)",
  "0x88316456": "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
  "0x219f5d17": "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))",
  "0x0c49ccbe": "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))",
  "0xfc6f7865": "collect((uint256,address,uint128,uint128))",
  "0x42966c68": "burn(uint256)",
  "0xe8e33700": "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
  "0xf305d719": "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
  "0xbaa2abde": "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)",
  "0x02751cec": "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
  "0x3659cfe6": "upgradeTo(address)",
  "0x99a88ec4": "upgrade(address,address)",
  "0x8f283970": "changeAdmin(address)",
  "0x7eff275e": "changeProxyAdmin(address,address)",
  "0xf2fde38b": "transferOwnership(address)",
  "0x715018a6": "renounceOwnership()",
  "0x3ccfd60b": "withdraw()",
  "0x4e71d92d": "claim()",
  "0xa694fc3a": "stake(uint256)",
  "0xe2bbb158": "deposit(uint256,uint256)",
  "0x441a3e70": "withdraw(uint256,uint256)",
  "0x1249c58b": "mint()",
  "0xa0712d68": "mint(uint256)",
  "0x40c10f19": "mint(address,uint256)",
};
