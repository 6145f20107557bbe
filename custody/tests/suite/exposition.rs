//! A strict reader of the Prometheus text format, version 0.0.4, for tests: it takes what the format's page allows, refuses
//! everything else, and holds histograms to what they promise.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::collections::{BTreeMap, BTreeSet};

/// Labels of a series, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A family of series.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) samples: Vec<(String, Labels, f64)>,
}

/// What a text says.
#[derive(Debug)]
pub(crate) struct Exposition(pub(crate) BTreeMap<String, Family>);

impl Exposition {
    /// The value of one series; 0 where it is not there.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let family = self
            .0
            .iter()
            .find(|(family, _)| name.starts_with(family.as_str()));
        let wanted: Labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let samples = family
            .map(|(_, family)| family.samples.as_slice())
            .unwrap_or_default();
        samples
            .iter()
            .find(|(sample, labels, _)| sample == name && *labels == wanted)
            .map_or(0.0, |(_, _, value)| *value)
    }

    /// Every value of a label, over all families.
    pub(crate) fn label_values(&self) -> BTreeSet<String> {
        let samples = self.0.values().flat_map(|family| &family.samples);
        samples
            .flat_map(|(_, labels, _)| labels.values().cloned())
            .collect()
    }
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Result<Exposition, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line is not ended".to_owned());
    }
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut current: Option<String> = None;
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let fail = |reason: &str| Err(format!("{reason}: {line}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let Some((name, help)) = rest.split_once(' ') else {
                return fail("no help");
            };
            if !is_name(name, true) || !helped.insert(name.to_owned()) || unescape(help, false).is_err() {
                return fail("a bad or second help");
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = rest.split_once(' ') else {
                return fail("no type");
            };
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
                return fail("an unknown type");
            }
            if kind == "counter" && !name.ends_with("_total") {
                return fail("a counter that is not called _total");
            }
            let family = Family {
                kind: kind.to_owned(),
                samples: Vec::new(),
            };
            if !is_name(name, true) || families.insert(name.to_owned(), family).is_some() {
                return fail("a bad or second type");
            }
            current = Some(name.to_owned());
        } else if line.starts_with('#') || line.is_empty() {
            return fail("neither help, type nor sample");
        } else {
            let (name, labels, value) = sample(line).map_err(|reason| format!("{reason}: {line}"))?;
            let Some(family) = current
                .as_ref()
                .filter(|family| belongs(&name, family, &families))
            else {
                return fail("a sample outside its family");
            };
            if !seen.insert((name.clone(), labels.clone())) {
                return fail("a series twice");
            }
            families
                .get_mut(family)
                .unwrap()
                .samples
                .push((name, labels, value));
        }
    }
    for (name, family) in &families {
        if !helped.contains(name) || family.samples.is_empty() {
            return Err(format!("{name} has no help or no samples"));
        }
        if family.kind == "histogram" {
            histogram(name, family)?;
        }
        let bad = |value: f64| value < 0.0 || !value.is_finite();
        if family.kind != "gauge" && family.samples.iter().any(|(_, _, value)| bad(*value)) {
            return Err(format!("{name} counts backwards"));
        }
    }
    Ok(Exposition(families))
}

fn belongs(sample: &str, family: &str, families: &BTreeMap<String, Family>) -> bool {
    match families[family].kind.as_str() {
        "histogram" => sample
            .strip_prefix(family)
            .is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix)),
        _ => sample == family,
    }
}

/// `name{label="value",…} value`, one space, no time.
fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let mut labels = Labels::new();
    let (name, value) = match line.split_once('{') {
        None => line.split_once(' ').ok_or("no value")?,
        Some((name, mut rest)) => loop {
            let (label, after) = rest.split_once("=\"").ok_or("no label")?;
            if !is_name(label, false) {
                return Err(format!("the label name {label:?}"));
            }
            let end = closing_quote(after).ok_or("an open quote")?;
            let value = unescape(&after[..end], true)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return Err("a label twice".to_owned());
            }
            rest = &after[end + 1..];
            if let Some(value) = rest.strip_prefix("} ") {
                break (name, value);
            }
            rest = rest.strip_prefix(',').ok_or("no comma")?;
        },
    };
    if !is_name(name, true) {
        return Err(format!("the name {name:?}"));
    }
    let plain = |c: char| c.is_ascii_digit() || ".eE+-".contains(c);
    if value.is_empty() || !value.chars().all(plain) {
        return Err(format!("the value {value:?}"));
    }
    let value = value.parse().map_err(|_| format!("the value {value:?}"))?;
    Ok((name.to_owned(), labels, value))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quotes) {
            ('\\', _) => match (chars.next(), quotes) {
                (Some('\\'), _) => out.push('\\'),
                (Some('n'), _) => out.push('\n'),
                (Some('"'), true) => out.push('"'),
                other => return Err(format!("the escape {other:?}")),
            },
            ('"', true) | ('\n', _) => return Err("an unescaped character".to_owned()),
            _ => out.push(c),
        }
    }
    Ok(out)
}

fn is_name(text: &str, colons: bool) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    text.chars().next().is_some_and(first)
        && text.chars().all(|c| first(c) || c.is_ascii_digit())
        && (colons || !text.starts_with("__"))
}

/// Buckets grow with their bounds, the last is `+Inf` and equals `_count`, and there is a `_sum`.
fn histogram(name: &str, family: &Family) -> Result<(), String> {
    let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    let mut single: BTreeMap<(&str, Labels), f64> = BTreeMap::new();
    for (sample, labels, value) in &family.samples {
        let mut labels = labels.clone();
        let le = labels.remove("le");
        match (sample.strip_prefix(name).unwrap(), le) {
            ("_bucket", Some(le)) => {
                let le = if le == "+Inf" {
                    f64::INFINITY
                } else {
                    le.parse().map_err(|_| format!("le={le}"))?
                };
                series.entry(labels).or_default().push((le, *value));
            }
            (suffix @ ("_sum" | "_count"), None) => {
                single.insert((suffix, labels), *value);
            }
            _ => return Err(format!("{sample} has le, or has none")),
        }
    }
    for (labels, buckets) in &series {
        let grows = buckets
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let last = buckets.last().unwrap();
        let count = single.get(&("_count", labels.clone()));
        let sum = single.get(&("_sum", labels.clone()));
        if !grows || !last.0.is_infinite() || count != Some(&last.1) || sum.is_none() {
            return Err(format!("{name}{labels:?} is no histogram"));
        }
    }
    if single.len() == 2 * series.len() {
        Ok(())
    } else {
        Err(format!("{name} has a sum or count without buckets"))
    }
}

#[test]
fn the_reader_takes_what_the_format_allows_and_nothing_else() {
    let good = "# HELP a_total Help with a \\\\ and a \\n.\n# TYPE a_total counter\na_total{x=\"q\\\"\\\\\\n,}\",y=\"\"} 3\n\
                # HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1.5\nh_count 2\n";
    let read = parse(good).unwrap();
    assert_eq!(read.value("a_total", &[("x", "q\"\\\n,}"), ("y", "")]), 3.0);
    assert_eq!(read.value("h_count", &[]), 2.0);
    for (from, to) in [
        ("h_count 2\n", "h_count 2"),
        ("h_count 2", "h_count 3"),
        ("h_count 2\n", ""),
        ("h_sum 1.5\n", ""),
        ("\"+Inf\"} 2", "\"+Inf\"} 0"),
        ("\"+Inf\"", "\"0.4\""),
        ("le=\"0.5\"", "lf=\"0.5\""),
        ("# TYPE h histogram", "# TYPE h counter"),
        ("# TYPE h histogram", "# TYPE h something"),
        ("# HELP h Help.\n", ""),
        ("# HELP h Help.\n", "\n"),
        ("# HELP h Help.\n", "# anything\n"),
        ("a_total{x=", "a_total{1x="),
        ("a_total{x=", "b_total{x="),
        ("} 3", "} three"),
        ("} 3", "}  3"),
        ("} 3", "} NaN"),
        ("} 3", "} -3"),
        ("y=\"\"", "x=\"\""),
        ("y=\"\"", "y=\"\\t\""),
        (
            "# TYPE a_total counter\n",
            "# TYPE a_total counter\n# TYPE a_total counter\n",
        ),
        ("h_sum 1.5\n", "h_sum 1.5\nh_sum 1.5\n"),
        ("h_sum 1.5\n", "h_sum{z=\"\"} 1.5\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
