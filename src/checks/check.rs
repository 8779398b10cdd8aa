//! The interface of a check, with its own result type and without it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{CheckContext, TestedMap};
use super::info::{CheckChartLine, CheckInfo, CheckNote};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::CheckedMap;

/// A check of maps, with its options.
pub trait Check {
    /// The check's facts and texts.
    const INFO: CheckInfo;

    /// The result for one map, as `results.json` holds it.
    type MapResult: Serialize + DeserializeOwned;

    /// Computes the result for each of `maps`, in their order; `None` where the check does not apply. All maps of a
    /// network, image and class come at once, the baseline maps among them, so that what they share is computed once.
    ///
    /// # Errors
    /// For a libtorch error.
    fn compute(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
    ) -> Result<Vec<Option<Self::MapResult>>>;

    /// The scores of a map in the order of [`CheckInfo::scores`]; `None` where one is undefined.
    fn scores(result: &Self::MapResult) -> Vec<Option<f64>>;

    /// The lines of a map in each chart of [`CheckInfo::charts`].
    fn charts(_result: &Self::MapResult) -> Vec<Vec<CheckChartLine>> {
        Vec::new()
    }

    /// The text below a map, given also the result for the random map.
    fn note(_result: &Self::MapResult, _random: Option<&Self::MapResult>) -> Option<CheckNote> {
        None
    }

    /// The check's result for `map`, if there is one.
    ///
    /// # Errors
    /// If it can't be read.
    fn result_for(map: &CheckedMap) -> Result<Option<Self::MapResult>> {
        map.result(Self::INFO.result_key)
    }
}

/// A check without its result type: what the list of checks refers to.
pub trait ErasedCheck {
    /// The check's facts and texts.
    fn info(&self) -> &'static CheckInfo;

    /// As [`Check::compute`]; `checked` has the order of `maps`, and the results are stored in it.
    ///
    /// # Errors
    /// For a libtorch error.
    fn check_maps(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
        checked: &mut [CheckedMap],
    ) -> Result<()>;

    /// The scores of `map`, if it has a result.
    ///
    /// # Errors
    /// If the result can't be read.
    fn map_scores(&self, map: &CheckedMap) -> Result<Option<Vec<Option<f64>>>>;

    /// The chart lines of `map`, if it has a result.
    ///
    /// # Errors
    /// If the result can't be read.
    fn map_charts(&self, map: &CheckedMap) -> Result<Option<Vec<Vec<CheckChartLine>>>>;

    /// The text below `map`, if it has a result, given also the random map of the same network, image and class.
    ///
    /// # Errors
    /// If a result can't be read.
    fn map_note(&self, map: &CheckedMap, random: Option<&CheckedMap>) -> Result<Option<CheckNote>>;
}

impl<C: Check> ErasedCheck for C {
    fn info(&self) -> &'static CheckInfo {
        const { &C::INFO }
    }

    fn check_maps(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
        checked: &mut [CheckedMap],
    ) -> Result<()> {
        let results = self.compute(context, maps)?;
        if results.len() != checked.len() {
            let (key, got, wanted) = (C::INFO.key, results.len(), checked.len());
            let message =
                format!("`{key}` must return a result for each of {wanted} maps, got {got}");
            return Err(Error::new(ErrorKind::Network, message));
        }
        for (result, checked) in results.iter().zip(checked) {
            if let Some(result) = result {
                checked.insert(C::INFO.result_key, result)?;
            }
        }
        Ok(())
    }

    fn map_scores(&self, map: &CheckedMap) -> Result<Option<Vec<Option<f64>>>> {
        Ok(C::result_for(map)?.map(|result| C::scores(&result)))
    }

    fn map_charts(&self, map: &CheckedMap) -> Result<Option<Vec<Vec<CheckChartLine>>>> {
        Ok(C::result_for(map)?.map(|result| C::charts(&result)))
    }

    fn map_note(&self, map: &CheckedMap, random: Option<&CheckedMap>) -> Result<Option<CheckNote>> {
        let random = random.map(C::result_for).transpose()?.flatten();
        let result = C::result_for(map)?;
        Ok(result.and_then(|result| C::note(&result, random.as_ref())))
    }
}
