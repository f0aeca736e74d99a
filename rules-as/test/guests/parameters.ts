// Not a rule for anybody: says what the values of its parameters are. What is made of them at the top level follows them.
import { Severity, Tx, address, addressSet, alert, ether, filter, param, u256 } from "@weir/rules";

const least = param.u256("least", ether(100), "in wei", u256("1"), ether(1_000_000));
const count = param.number("count", 7, "", 1, 1_000_000_000_000);
const ratio = param.fraction("ratio", 0.25, "", -1000, 1e300);
const loud = param.bool("loud", true);
const who = param.address("who", "0x28c6c06298d514db089934071355e5743bf21d60");
const event = param.bytes32("event", "Transfer(address,address,uint256)");
const method = param.selector("method", "transfer(address,uint256)");
const prefix = param.bytes("prefix", "0x0102");
const note = param.text("note", "plain");
const mode = param.text("mode", "strict", "", ["strict", "loose"]);

const double = least.mul(2);
const listed = addressSet([who.toString()]);
if (count == 13) throw new Error("13 brings bad luck");

filter.minValue(least).where('{"nonce_gte": {"param": "count"}}');

export function onTx(tx: Tx): void {
  alert(Severity.Info, `${least} ${double} ${count} ${ratio} ${loud} ${who} ${listed.has(who)} ${event}`);
  alert(Severity.Info, `${method} ${prefix} ${note} ${mode} ${tx.nonce}`);
  if (listed.has(address("0x28c6c06298d514db089934071355e5743bf21d60"))) alert(Severity.Low, "default");
}
