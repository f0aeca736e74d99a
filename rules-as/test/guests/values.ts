// Not a rule for anybody: a calculator that the tests ask through the input. The selector says what, arguments with what.
import {
  Bytes, Severity, Tx, U128, addressSet, address, alert, bytes, bytes32, ether, formatEther, formatGwei, formatUnits, gwei, keccak256,
  param, score, selector, tag, topic, u256, units,
} from "@weir/rules";

const LISTED = addressSet([
  "0x0000000000000000000000000000000000000001",
  "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
  "0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
]);
const KNOWN = address("0x7A250d5630B4cF539739dF2C5dAcb4c659F2488D");
param.number("aNumber", 42, "a \"quoted\" description\n");
param.fraction("aFraction", 0.5);
param.bool("aBool", true);
param.text("aText", "täxt");

function say(text: string): void {
  alert(Severity.Info, text);
}

function text(tx: Tx): string {
  return String.UTF8.decodeUnsafe(tx.input.pointer + 4, tx.inputLength - 4);
}

export function onTx(tx: Tx): void {
  const a = tx.arg(0).asU256(), b = tx.arg(1).asU256();
  switch (tx.selector) {
    case 1: return say((a + b).toString());
    case 2: return say((a - b).toString());
    case 3: return say(a.mul(tx.arg(1).asU64()).toString());
    case 4: return say(a.div(tx.arg(1).asU64()).toString());
    case 5: return say(`${a.compare(b)} ${a == b} ${a != b} ${a < b} ${a <= b} ${a > b} ${a >= b} ${a.isZero} ${a.isMax()} ${a.toU64()}`);
    case 6: return say(formatUnits(a, <i32>tx.arg(1).asU64(), <i32>tx.arg(2).asU64()));
    case 7: return say(keccak256(tx.input.slice(4)).toString());
    case 8: return say(selector(text(tx)).toString(16) + " " + topic(text(tx)).toString());
    case 9: return say(address(text(tx)).toString());
    case 10: return say(bytes32(text(tx)).toString());
    case 11: return say(bytes(text(tx)).toString());
    case 12: return say(units(text(tx), 6).toString());
    case 13: return say(`${a.addExact(b)}`);
    case 14: return say(`${a.subExact(b)}`);
    case 15: return say(text(tx));
    case 16: tag(text(tx)); return;
    case 17: score(reinterpret<f64>(tx.arg(0).asU64())); return;
    case 18: return say(a.toF64().toString());
    case 19: return say(`${LISTED.indexOf(tx.arg(0).asAddress())} ${LISTED.has(tx.arg(0).asAddress())} ${tx.arg(0).asAddress() == KNOWN}`);
    case 20: {
      const some = tx.input.slice(4);
      const other = new Bytes(some.pointer, some.length);
      return say(`${some[0]} ${some[1000000]} ${some.slice(1, 3)} ${some.slice(5, 2).length} ${some == other} ${some.startsWith(some.slice(0, 2))} ${some.hasWord(0)} ${some.hasWord(1)} ${some.word(u32.MAX_VALUE).isZero}`);
    }
    case 21: return say(`${tx.hasArg(0)} ${tx.hasArg(1)} ${tx.hasArg(u32.MAX_VALUE)} ${tx.arg(0)} ${tx.arg(u32.MAX_VALUE).isZero}`);
    case 22: return say(`${ether(100)} ${gwei(35)} ${u256("7")} ${formatEther(a)} ${formatGwei(new U128(<u64>35123456789))} ${units("0.5", 18)}`);
    case 23: { // more results than one transaction may write
      let written = 0;
      for (let i = 0; i < 1000; ++i) written += i32(tag("t"));
      if (written != 254 || tag("more") || alert(Severity.Info, "x") || score(1)) throw new Error(`${written} written`);
      return;
    }
    case 24: { // more memory than one transaction may take
      let all = "x";
      for (let i = 0; i < 30; ++i) all += all;
      return say(all);
    }
    case 25: { // what the arena hands out is clean, whatever was there before
      const fresh = new Uint8Array(1000);
      let sum = 0;
      for (let i = 0; i < 1000; ++i) sum += fresh[i];
      fresh.fill(255);
      return say(`${sum}`);
    }
    case 26: return say(tx.log(0).address.toString()); // aborts: there is none
    case 28: {
      for (let i = 0; i < 1000; ++i) tag("");
      return;
    }
    case 29: { // as 25, for what grows
      const list: u32[] = [];
      list.length = 300;
      const map = new Map<u32, u32>();
      let sum: u32 = map.has(0) ? 1 : 0;
      for (let i = 0; i < 300; ++i) {
        sum += list[i] + u32(map.has(i));
        map.set(i, u32.MAX_VALUE);
        list[i] = u32.MAX_VALUE;
      }
      const fixed = new StaticArray<u64>(200);
      for (let i = 0; i < 200; ++i) {
        sum += <u32>fixed[i];
        fixed[i] = u64.MAX_VALUE;
      }
      return say(`${sum}`);
    }
    case 27: param.bool("late", true); return;
  }
}
