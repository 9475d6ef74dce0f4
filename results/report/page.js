"use strict";
// Values under the pointer, series on and off, zoom along x, tables as CSV. A page needs none of it.
(function () {
  var kinds = {
    linear: [function (v) { return v; }, function (v) { return v; }],
    log: [Math.log10, function (v) { return Math.pow(10, v); }],
    tail: [function (v) { return -Math.log10(1 - v); }, function (v) { return 1 - Math.pow(10, -v); }]
  };
  function scale(text) {
    var p = text.split(" "), k = kinds[p[0]] || kinds.linear, a = k[0](+p[1]), b = k[0](+p[2]);
    return {
      kind: p[0], from: +p[3], to: +p[4],
      value: function (px) { return k[1](a + (px - p[3]) / (p[4] - p[3]) * (b - a)); }
    };
  }
  function say(s, v) {
    if (s.kind === "clock") {
      var m = Math.round(v / 60);
      return ("0" + Math.floor(m / 60)).slice(-2) + ":" + ("0" + m % 60).slice(-2);
    }
    if (s.kind === "tail") return +(100 * v).toPrecision(6) + " %";
    return String(+v.toPrecision(4));
  }
  function points(path) {
    var out = [], x = 0, y = 0, re = /([MLHV])([-\d.]+)(?: ([-\d.]+))?/g, m, d = path.getAttribute("d");
    while ((m = re.exec(d))) {
      if (m[1] === "H") x = +m[2]; else if (m[1] === "V") y = +m[2]; else { x = +m[2]; y = +m[3]; }
      out.push([x, y]);
    }
    return out;
  }
  function csv(table) {
    return Array.prototype.map.call(table.rows, function (row) {
      return Array.prototype.map.call(row.cells, function (c) {
        var t = c.getAttribute("data-v") || c.textContent;
        return /[",\n]/.test(t) ? '"' + t.replace(/"/g, '""') + '"' : t;
      }).join(",");
    }).join("\n") + "\n";
  }
  function picture(fig) {
    var svg = fig.querySelector("svg.chart");
    if (!svg) return;
    var panels = Array.prototype.map.call(svg.querySelectorAll("g.panel"), function (g) {
      var plot = g.querySelector("svg.plot"), box = plot.getAttribute("viewBox");
      return { g: g, plot: plot, box: box.split(" ").map(Number), x: scale(g.getAttribute("data-x")), y: scale(g.getAttribute("data-y")) };
    });
    var x = panels[0].x, ticks = svg.querySelectorAll("text.tick-x"), zoom = [x.from, x.to], start = null;
    var numeric = x.kind !== "names", tip = document.createElement("div"), cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
    tip.className = "tip"; tip.hidden = true; fig.appendChild(tip);
    cross.setAttribute("class", "cross"); svg.appendChild(cross);
    var was = Array.prototype.map.call(ticks, function (t) { return t.textContent; });
    function at(event) {
      var r = svg.getBoundingClientRect();
      return (event.clientX - r.left) * svg.viewBox.baseVal.width / r.width;
    }
    function unzoomed(px) { return zoom[0] + (px - x.from) / (x.to - x.from) * (zoom[1] - zoom[0]); }
    function apply() {
      panels.forEach(function (p) {
        var b = p.box, k = (zoom[1] - zoom[0]) / (x.to - x.from);
        p.plot.setAttribute("viewBox", [b[0] + (zoom[0] - x.from), b[1], b[2] * k, b[3]].join(" "));
      });
      var whole = zoom[0] === x.from && zoom[1] === x.to;
      svg.classList.toggle("zoomed", !whole);
      ticks.forEach(function (t, i) {
        t.textContent = whole ? was[i] : say(x, x.value(unzoomed(+t.getAttribute("x"))));
      });
    }
    function show(px) {
      var lines = [], here = unzoomed(px) - x.from;
      panels.forEach(function (p) {
        p.g.querySelectorAll("g.series:not(.off)").forEach(function (s) {
          var line = s.querySelector(".line,.dots");
          if (!line) return;
          var best = null;
          (s.points = s.points || points(line)).forEach(function (q) {
            if (!best || Math.abs(q[0] - here) < Math.abs(best[0] - here)) best = q;
          });
          if (!best) return;
          if (!lines.length) lines.push(numeric ? say(x, x.value(best[0] + x.from)) : "");
          lines.push(s.getAttribute("data-name") + "  " + (best[1] < -9 ? "beyond the picture" : say(p.y, p.y.value(best[1] + p.y.to))));
        });
      });
      tip.hidden = !lines.length;
      tip.textContent = lines.slice(0, 14).join("\n");
      var last = panels[panels.length - 1];
      cross.setAttribute("d", lines.length ? "M" + px + " " + panels[0].y.to + "V" + last.y.from : "");
    }
    svg.addEventListener("pointermove", function (e) {
      var px = at(e);
      if (px < x.from || px > x.to) { tip.hidden = true; cross.setAttribute("d", ""); return; }
      show(px);
    });
    svg.addEventListener("pointerleave", function () { tip.hidden = true; cross.setAttribute("d", ""); });
    if (numeric && svg.querySelector(".line")) {
      svg.addEventListener("pointerdown", function (e) { start = at(e); });
      svg.addEventListener("pointerup", function (e) {
        var a = start, b = at(e);
        start = null;
        if (a === null || Math.abs(a - b) < 8) return;
        zoom = [unzoomed(Math.max(x.from, Math.min(a, b))), unzoomed(Math.min(x.to, Math.max(a, b)))];
        apply();
      });
      svg.addEventListener("dblclick", function () { zoom = [x.from, x.to]; apply(); });
    }
    svg.querySelectorAll("g.key").forEach(function (k) {
      k.setAttribute("tabindex", "0"); k.setAttribute("role", "button"); k.setAttribute("aria-pressed", "true");
      function toggle() {
        var off = k.classList.toggle("off"), name = k.getAttribute("data-name");
        k.setAttribute("aria-pressed", String(!off));
        svg.querySelectorAll("g.series").forEach(function (s) {
          if (s.getAttribute("data-name") === name) s.classList.toggle("off", off);
        });
      }
      k.addEventListener("click", toggle);
      k.addEventListener("keydown", function (e) { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); toggle(); } });
    });
    if (svg.querySelector("g.key")) svg.setAttribute("role", "group");
  }
  document.querySelectorAll("figure").forEach(picture);
  document.querySelectorAll(".wide").forEach(function (wide) {
    var tools = document.createElement("div"), b = document.createElement("button");
    tools.className = "tools"; b.type = "button"; b.textContent = "Copy as CSV";
    b.addEventListener("click", function () {
      var text = csv(wide.querySelector("table"));
      function done() { b.textContent = "Copied"; setTimeout(function () { b.textContent = "Copy as CSV"; }, 1500); }
      function other() {
        var area = document.createElement("textarea");
        area.value = text; document.body.appendChild(area); area.select();
        document.execCommand("copy"); area.remove(); done();
      }
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, other); else other();
    });
    tools.appendChild(b); wide.after(tools);
  });
})();
