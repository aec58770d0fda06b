// How a report looks: light, dark and on paper. Colours are custom properties, set once for each.
#include "tools/report/html.h"

namespace noisymix::report {
namespace {

// The colours of runs differ in lightness as well as in hue and stay apart for colour-blind readers.
constexpr std::string_view kColors = R"css(
:root{color-scheme:light dark;--page:#f6f7f9;--surface:#fff;--ink:#1b212b;--muted:#5d6675;--line:#e2e6eb;
--faint:#eef1f4;--better:#11693f;--worse:#a63a12;
--run0:#2268b8;--run1:#d97706;--run2:#0f8a6c;--run3:#8250c4;--run4:#b5307a;--run5:#5c6b7d;--run6:#8a6d1f;--run7:#0e7fa3;
--s0:#f4f7fb;--s1:#e6eef7;--s2:#d5e3f2;--s3:#c0d6ec;--s4:#a7c6e5;--s5:#8bb3dc;--s6:#6c9dd0;--s7:#4f86c1;--s8:#376fae;
--s9:#245996;--s10:#16447b;--flip:#fff;
--n5:#b8500f;--n4:#d2762f;--n3:#e59f63;--n2:#f1c59c;--n1:#f8e2cc;--z:#f3f4f6;--p1:#d3e5f5;--p2:#a8cbea;--p3:#76abdb;
--p4:#4485c2;--p5:#225f9e}
@media (prefers-color-scheme:dark){:root{--page:#0e1217;--surface:#161b22;--ink:#e4e8ee;--muted:#97a2b1;--line:#2a323d;
--faint:#1f2630;--better:#5cc996;--worse:#f39a6b;
--run0:#62a8f2;--run1:#f2a541;--run2:#3fc19d;--run3:#b792ee;--run4:#ec7db6;--run5:#a3b1c2;--run6:#cfb35a;--run7:#5cc4e4;
--s0:#182230;--s1:#1b2c41;--s2:#1f3853;--s3:#244566;--s4:#2a547b;--s5:#336592;--s6:#4078a9;--s7:#568fc0;--s8:#76a8d4;
--s9:#9cc3e6;--s10:#c6dff5;--flip:#0e1620;
--n5:#f0a063;--n4:#cc7a3e;--n3:#a35c2a;--n2:#74431f;--n1:#48301f;--z:#212832;--p1:#1d3650;--p2:#22507b;--p3:#316da3;
--p4:#5592ca;--p5:#8fbfea}}
@media print{:root{color-scheme:light;--page:#fff;--surface:#fff;--ink:#14181f;--muted:#4d5561;--line:#d5dae0;
--faint:#eef1f4;--better:#11693f;--worse:#a63a12;
--run0:#2268b8;--run1:#d97706;--run2:#0f8a6c;--run3:#8250c4;--run4:#b5307a;--run5:#5c6b7d;--run6:#8a6d1f;--run7:#0e7fa3;
--s0:#f4f7fb;--s1:#e6eef7;--s2:#d5e3f2;--s3:#c0d6ec;--s4:#a7c6e5;--s5:#8bb3dc;--s6:#6c9dd0;--s7:#4f86c1;--s8:#376fae;
--s9:#245996;--s10:#16447b;--flip:#fff;
--n5:#b8500f;--n4:#d2762f;--n3:#e59f63;--n2:#f1c59c;--n1:#f8e2cc;--z:#f3f4f6;--p1:#d3e5f5;--p2:#a8cbea;--p3:#76abdb;
--p4:#4485c2;--p5:#225f9e}}
.run0{--run:var(--run0)}.run1{--run:var(--run1)}.run2{--run:var(--run2)}.run3{--run:var(--run3)}
.run4{--run:var(--run4)}.run5{--run:var(--run5)}.run6{--run:var(--run6)}.run7{--run:var(--run7)}
.s0{background:var(--s0)}.s1{background:var(--s1)}.s2{background:var(--s2)}.s3{background:var(--s3)}
.s4{background:var(--s4)}.s5{background:var(--s5)}.s6{background:var(--s6)}.s7{background:var(--s7)}
.s8{background:var(--s8)}.s9{background:var(--s9)}.s10{background:var(--s10)}
.n5{background:var(--n5)}.n4{background:var(--n4)}.n3{background:var(--n3)}.n2{background:var(--n2)}
.n1{background:var(--n1)}.z{background:var(--z)}.p1{background:var(--p1)}.p2{background:var(--p2)}
.p3{background:var(--p3)}.p4{background:var(--p4)}.p5{background:var(--p5)}
td.s7,td.s8,td.s9,td.s10,td.n5,td.p4,td.p5{color:var(--flip)}
)css";

constexpr std::string_view kFrame = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0 auto;padding:0 24px 64px;max-width:1200px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums;print-color-adjust:exact;-webkit-print-color-adjust:exact}
header{padding:40px 0 8px}
.eyebrow{margin:0 0 6px;color:var(--muted);font-size:13px;font-weight:600;letter-spacing:.06em}
h1{margin:0;font-size:30px;line-height:1.2;letter-spacing:-.015em;overflow-wrap:anywhere;text-wrap:balance}
.subtitle{margin:8px 0 0;color:var(--muted);overflow-wrap:anywhere}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;margin:18px 0 0;padding:0;list-style:none;font-weight:600}
.legend li{min-width:0;overflow-wrap:anywhere}
.dot{display:inline-block;width:11px;height:11px;margin-right:8px;border-radius:3px;background:var(--run)}
.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:22px 0 0}
.key{padding:13px 15px 11px;border:1px solid var(--line);border-radius:12px;background:var(--surface)}
.key h3{margin:0 0 6px;color:var(--muted);font-size:13px;font-weight:600}
.key div{display:flex;align-items:center;gap:0}
.key b{font-size:22px;line-height:1.35;font-weight:650;letter-spacing:-.01em}
.key small{margin-left:3px;color:var(--muted);font-size:13px}
.key .change{margin-left:auto}
.key p{margin:6px 0 0;color:var(--muted);font-size:12.5px;line-height:1.4}
.change{font-size:13px;font-weight:600;color:var(--muted)}
.change.better{color:var(--better)}.change.worse{color:var(--worse)}
nav{display:flex;flex-wrap:wrap;gap:6px;margin:22px 0 0}
nav a{padding:4px 12px;border:1px solid var(--line);border-radius:999px;background:var(--surface);color:var(--ink);
font-size:13px;text-decoration:none}
nav a:hover,nav a:focus-visible{border-color:var(--muted)}
section{margin-top:20px;padding:24px 26px 26px;border:1px solid var(--line);border-radius:14px;
background:var(--surface)}
h2{margin:0;font-size:20px;letter-spacing:-.01em}
section h3{margin:26px 0 0;font-size:16px}
.explanation{max-width:96ch;margin:6px 0 0;color:var(--muted)}
figure{margin:0;min-width:0}
figcaption{margin:0 0 8px;font-size:14px;font-weight:600;overflow-wrap:anywhere}
.row{display:flex;flex-wrap:wrap;gap:26px 18px;margin-top:20px}
.row.charts{display:grid;gap:26px 32px;grid-template-columns:repeat(3,minmax(0,1fr))}
.row.charts.two{grid-template-columns:repeat(2,minmax(0,1fr))}.row.charts.four{grid-template-columns:repeat(4,minmax(0,1fr))}
.row.columns{display:block;columns:2;column-gap:44px}.row.columns figure{break-inside:avoid;padding-bottom:22px}
.row.confusions{gap:26px 40px}
.scroll{overflow-x:auto}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code.command{padding:2px 7px;border-radius:6px;background:var(--faint);overflow-wrap:anywhere}
details{margin-top:14px;border:1px solid var(--line);border-radius:10px}
summary{padding:9px 14px;font-weight:600;cursor:pointer}
details pre{margin:0;padding:12px 16px;border-top:1px solid var(--line);overflow-x:auto;font:12.5px/1.5
ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
ul.missing{margin:14px 0 0;padding-left:20px}ul.missing li{margin:6px 0}
)css";

constexpr std::string_view kCharts = R"css(
.charts.one .chart{max-width:540px}
.chart figcaption span{float:right;margin-left:10px;color:var(--muted);font-weight:500}
.chart svg{display:block;width:100%;height:auto;overflow:visible}
.chart line,.chart polyline,.chart rect.gap{vector-effect:non-scaling-stroke}
svg text{fill:var(--muted);font-size:12.5px}.one svg text,.two svg text{font-size:10px}.four svg text{font-size:13px}
.grid{stroke:var(--line)}.tick{stroke:var(--muted)}
.series polyline{fill:none;stroke:var(--run);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.series.dashed polyline{stroke-width:1.5;stroke-dasharray:4 4;opacity:.8}
.mark{fill:var(--run);stroke:var(--surface);stroke-width:1}
.fill{fill:var(--run);opacity:.85}.count{fill:var(--run);opacity:.45}
.gap{fill:var(--ink);fill-opacity:.1;stroke:var(--ink);stroke-opacity:.6}.rare{opacity:.35}
.ideal{stroke:var(--ink);stroke-dasharray:3 4;opacity:.6}
.heat{flex:0 1 auto}
.heat table,.confusion table{border-collapse:separate;border-spacing:2px;font-size:12.5px}
.heat th,.confusion th{font-weight:400;text-align:left;white-space:nowrap}
.heat thead th{color:var(--muted);text-align:center}
.heat tbody th[scope=row]{padding-right:8px}
.heat .group th{padding-top:6px;color:var(--muted);font-size:12px;font-weight:600}
.heat td{width:38px;height:24px;padding:0;font-size:12px;border-radius:3px;text-align:center}
.heat td.mean,.heat th.mean{border-left:3px solid transparent;background-clip:padding-box;font-weight:650}
.heat td.none{color:var(--muted)}
.scale{display:flex;align-items:center;gap:2px;margin:8px 2px 0;color:var(--muted);font-size:12px}
.scale i{width:18px;height:10px;border-radius:2px}.scale span:first-child{margin-right:6px}
.scale span:last-child{margin-left:6px}
.bars{flex:1 1 420px;min-width:0}.bars figcaption{margin-bottom:2px}
.bar-row{display:grid;grid-template-columns:132px minmax(0,1fr);gap:12px;align-items:center;padding:5px 0}
.bar-row+.bar-row{border-top:1px solid var(--faint)}
.bar-row .label{font-size:14px;text-align:right}
.bar-row.heading .label{font-weight:650}
.bar{display:flex;align-items:center;gap:8px;height:19px}
.track{flex:1;height:11px;border-radius:3px;background:var(--faint)}
.track i{display:block;height:100%;min-width:2px;border-radius:3px;background:var(--run)}
.bar .value{width:44px;font-size:13px;text-align:right}
.bar .change{width:50px;text-align:right;font-size:12.5px}
.confusion td{width:38px;height:28px;padding:0;border-radius:3px;text-align:center}
.confusion thead th{vertical-align:bottom;padding:0 0 4px;text-align:center;line-height:1}
.confusion thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:110px;overflow:hidden}
.confusion thead .corner{text-align:left;color:var(--muted);font-size:12px}
.confusion tbody th{max-width:130px;overflow:hidden;padding-right:8px;text-overflow:ellipsis}
.confusion td.right{font-weight:650}
.confusion.dense td{width:25px;height:23px;font-size:11px}
table.list{border-collapse:collapse;border-spacing:0}
table.list th,table.list td{width:auto;height:auto;padding:5px 18px 5px 0;border-bottom:1px solid var(--faint);
text-align:left}
table.list th{color:var(--muted)}table .number{text-align:right}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(262px,1fr));gap:14px}
.images{flex:1 1 100%}
.harmed{padding:12px 14px 10px;border:1px solid var(--line);border-radius:10px}
.pair{display:flex;gap:10px}.pair img{display:block;border-radius:6px;max-width:100%}
.pixels{image-rendering:pixelated}
.pair>div{flex:1 1 0;min-width:0}
.pair p{margin:6px 0 0;font-size:13px;line-height:1.35;overflow-wrap:anywhere}
.pair .right b{color:var(--better)}.pair .wrong b{color:var(--worse)}
.what{margin:4px 0 0;color:var(--muted);font-size:12.5px}
.boundaries{display:block;max-width:100%;height:auto;margin-top:18px;border-radius:8px}
table.facts{border-collapse:collapse;margin-top:16px;font-size:14px}
table.facts th,table.facts td{padding:7px 22px 7px 0;border-bottom:1px solid var(--faint);text-align:left;
vertical-align:top;overflow-wrap:anywhere}
table.facts thead th{color:var(--ink)}table.facts th{color:var(--muted);font-weight:500;white-space:nowrap}
table.facts thead th{white-space:normal;font-weight:600}
)css";

constexpr std::string_view kNarrowAndPaper = R"css(
@media (max-width:640px){body{padding:0 12px 40px;font-size:15px}header{padding-top:24px}h1{font-size:24px}
section{padding:18px 14px 20px;border-radius:12px}.keys{grid-template-columns:1fr 1fr;gap:8px}
.key{padding:11px 12px 10px}.key b{font-size:18px}.key div{flex-wrap:wrap}
.bar-row{grid-template-columns:1fr;gap:2px;padding:7px 0}.bar-row .label{text-align:left}
.row.charts,.row.charts.two{grid-template-columns:1fr}.row.charts.four{grid-template-columns:1fr 1fr;gap:20px 14px}
.row.columns{columns:1}.charts svg text{font-size:12.5px!important}.four svg text{font-size:18px!important}.heat{max-width:100%}
.heat table{border-spacing:1px;font-size:12px}.heat td{width:37px}.cards{grid-template-columns:1fr}}
@media print{@page{size:A4;margin:14mm}body{padding:0;max-width:none;font-size:11pt}header{padding-top:0}nav{display:none}
section{margin-top:14px;padding:0;border:0;border-top:1px solid var(--line);border-radius:0;padding-top:14px}
figure,.key,.harmed,.bar-row{break-inside:avoid}h2,h3,.explanation{break-after:avoid}
.scroll{overflow:visible}.keys{grid-template-columns:repeat(3,1fr)}
.explanation{break-inside:avoid}.one svg text,.two svg text{font-size:14px}.row.charts.four{grid-template-columns:repeat(2,260px);gap:16px 40px}.four svg text{font-size:13px}
.row{gap:18px 12px}.heat td{width:33px;height:20px;font-size:10px}.heat table{font-size:11px}
.confusion td{width:24px;height:20px;font-size:10px}.confusion table{font-size:11px;border-spacing:1px}.row.confusions{gap:18px}
.confusion thead .corner{font-size:0}
.row.columns{columns:2;column-gap:24px}.bar-row{grid-template-columns:96px minmax(0,1fr);gap:8px}}
)css";

}  // namespace

std::string style_sheet() {
  std::string sheet;
  for (const std::string_view part : {kColors, kFrame, kCharts, kNarrowAndPaper}) sheet += part.substr(1);
  return sheet;
}

}  // namespace noisymix::report
